var params = JSON.parse(value),
    url = params.smokejumper_url,
    secret = params.smokejumper_secret,
    request = new HttpRequest();
delete params.smokejumper_url;
delete params.smokejumper_secret;
request.addHeader('Content-Type: application/json');
if (secret) {
    request.addHeader('Authorization: Bearer ' + secret);
}
var answer = request.post(url, JSON.stringify(params)),
    status = request.getStatus();
if (status < 200 || status > 299) {
    throw 'Smokejumper answered ' + status + ': ' + answer;
}
return 'OK';
