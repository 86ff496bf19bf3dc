-- Distinct Alertmanager deliveries: wrk ... -s alerts.lua -- ALERTS SEED TOKEN
local count, seed, token, serial, thread_number = 1, 0, "", 0, 0

function setup(thread)
  thread_number = thread_number + 1
  thread:set("thread_number", thread_number)
end

function init(arguments)
  count = tonumber(arguments[1]) or 1
  seed = tonumber(arguments[2]) or 0
  token = arguments[3] or ""
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. token
end

local alert = [[{"status":"firing","labels":{"alertname":"HostFilesystemUsage",
"cluster":"prod-eu1","device":"/dev/vda","fstype":"ext4","instance":
"web-%d:9100","job":"node","mountpoint":"/","replica":"a","severity":
"warning"},"annotations":{"description":"The filesystem / of web-%d has been
filling up for some hours and will be full before the morning comes.",
"summary":"Filesystem / at 75.8%%"},"startsAt":"2026-11-21T02:14:02.418Z",
"endsAt":"0001-01-01T00:00:00Z","generatorURL":
"http://prometheus.example.net:9090/graph?g0.expr=100+-+100+%%2A+node_filesystem_avail_bytes%%7Bfstype%%21~%%22tmpfs%%22%%7D+%%2F+node_filesystem_size_bytes+%%3E+1&g0.tab=1",
"fingerprint":"%08x%08x"}]]
alert = alert:gsub("\n", " ")

local tail = [[],"groupLabels":{"alertname":"HostFilesystemUsage"},
"commonLabels":{"alertname":"HostFilesystemUsage","cluster":"prod-eu1",
"device":"/dev/vda","fstype":"ext4","job":"node","mountpoint":"/",
"severity":"warning"},"commonAnnotations":{"summary":
"Filesystem / at 75.8%"},"externalURL":"http://alertmanager:9093",
"version":"4","groupKey":"{}:{alertname=\"HostFilesystemUsage\"}",
"truncatedAlerts":0}]]
tail = tail:gsub("\n", " ")

function request()
  local alerts = {}
  for i = 1, count do
    serial = serial + 1
    local high = (serial * 2654435761 + seed * 977) % 4294967296
    alerts[i] = alert:format(serial % 5000, serial % 5000, high, seed * 4 + thread_number * 0 + serial)
  end
  local body = '{"receiver":"bench","status":"firing","alerts":['
    .. table.concat(alerts, ",") .. tail
  return wrk.format(nil, nil, nil, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT %d %d %.3f %.3f %d\n", summary.requests, summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write
      + errors.timeout))
end
