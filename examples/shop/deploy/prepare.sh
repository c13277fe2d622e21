#!/bin/sh
# Makes what compose.yaml needs and git must not hold: the secrets, in deploy/secrets. What is
# there already stays as it is, so it can be run again.
#
# The folder is closed to everybody but you; the files in it are not, so that the users inside
# the containers, to which compose hands single files, can read theirs.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets acme
chmod 700 secrets
chmod 755 acme
for folder in secrets acme; do
    echo '*' >"$folder/.gitignore"
done

random() {
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# keep NAME VALUE: whole or not at all, and never over one that is there.
keep() {
    if [ -e "secrets/$1" ]; then
        return
    fi
    printf '%s' "$2" >"secrets/.$1.new"
    chmod 444 "secrets/.$1.new"
    mv "secrets/.$1.new" "secrets/$1"
    echo "Made deploy/secrets/$1"
}

keep secret_key "$(random)"
keep metrics_token "$(random)"
keep database_password "$(random)"
keep database_url "postgresql://shop:$(cat secrets/database_password)@postgres:5432/shop"
# Where compose.development.yaml mounts something.
(umask 022 && mkdir -p ../instance)
# nginx reads its configuration as the user of the service, not as you.
chmod -R a+rX nginx
chmod a+x .
