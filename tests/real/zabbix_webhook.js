// The script of a Zabbix media type (6.0 or newer) that tells Smokejumper.
// A failed delivery must throw, or Zabbix takes it for sent.
var parameters = JSON.parse(value),
    url = parameters.url,
    token = parameters.token,
    request = new HttpRequest(),
    answer;

delete parameters.url;
delete parameters.token;
request.addHeader('Content-Type: application/json');
request.addHeader('Authorization: Bearer ' + token);
answer = request.post(url, JSON.stringify(parameters));
if (request.getStatus() < 200 || request.getStatus() > 299) {
    throw 'HTTP ' + request.getStatus() + ': ' + answer;
}
return answer;
