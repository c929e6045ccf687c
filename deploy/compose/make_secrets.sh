#!/bin/bash
# Makes the secrets of compose.production.yaml, once, as root: deploy/compose/make_secrets.sh /etc/ordersite
# Each file can be read by the user of its container alone. The site's own certificate is not among them.
set -euo pipefail
umask 077
folder=$1
if [ -e "$folder/django-secret-key" ]; then
    echo "$folder has secrets already; with others the servers would let nobody in." >&2
    exit 1
fi
mkdir -p "$folder/logins"
cd "$folder"

curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
# Python 3.13 takes no authority without a key usage.
openssl req -x509 "${curve[@]}" -days 3650 -subj "/CN=ordersite" -addext keyUsage=critical,keyCertSign \
    -keyout authority.key -out authority.pem 2>/dev/null
for server in mongodb rabbitmq; do
    openssl req "${curve[@]}" -subj "/CN=$server" -keyout "$server.key" -out "$server.csr" 2>/dev/null
    openssl x509 -req -in "$server.csr" -days 3650 -CA authority.pem -CAkey authority.key -CAcreateserial \
        -extfile <(printf '%s\n' "subjectAltName=DNS:$server,DNS:localhost,IP:127.0.0.1" \
            basicConstraints=CA:FALSE authorityKeyIdentifier=keyid) -out "$server.pem" 2>/dev/null
    rm "$server.csr"
done
# MongoDB wants both in one file.
cat mongodb.key >>mongodb.pem
rm mongodb.key

openssl rand -hex 32 >django-secret-key
openssl rand -base64 756 >mongodb-members.key
openssl rand -hex 32 >mongodb-password
openssl rand -hex 32 >mongodb-backup-password
password=$(openssl rand -hex 32)
printf 'default_user = administrator\ndefault_pass = %s\n' "$password" >rabbitmq-login.conf
authority=/run/secrets/authority.pem
echo "amqps://administrator:$password@rabbitmq:5671//?cacertfile=$authority" >amqp-url
mongodb="mongodb:27017/?authSource=admin&replicaSet=rs0&tls=true&tlsCAFile=$authority"
echo "mongodb://administrator:$(cat mongodb-password)@$mongodb" >mongodb-url
echo "uri: mongodb://backup:$(cat mongodb-backup-password)@$mongodb" >mongodump.yaml

chmod 644 authority.pem
# The pipeline, and MongoDB and RabbitMQ in their own images.
chown -R 10001:10001 django-secret-key amqp-url mongodb-url logins
chown 999:999 mongodb.pem mongodb-members.key mongodb-password mongodb-backup-password mongodump.yaml
chown 999:999 rabbitmq.pem rabbitmq.key rabbitmq-login.conf
