#!/bin/sh
# keep_configuration.sh FOLDER : the sample becomes the configuration, unless there is one.
set -eu
folder=${DESTDIR:-}$1
if [ ! -e "$folder/chatserv.conf" ]; then
    cp "$folder/chatserv.conf.sample" "$folder/chatserv.conf"
    chmod 644 "$folder/chatserv.conf"
fi
