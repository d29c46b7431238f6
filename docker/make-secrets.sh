#!/usr/bin/env bash
# Makes docker/secrets for compose.yaml, once: what is there stays. The folder is yours alone; the files in it can be read by
# the containers that they are mounted into.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }

make_secret() {
    if [ -e "secrets/$1" ]; then
        echo "kept  docker/secrets/$1"
    else
        printf '%s\n' "$2" >"secrets/$1"
        chmod 0444 "secrets/$1"
        echo "made  docker/secrets/$1"
    fi
}

make_secret valkey_password "$(random 32)"
make_secret master_key "$(head -c 32 /dev/urandom | base64)"
make_secret livekit_keys "sordino: $(random 32)"
