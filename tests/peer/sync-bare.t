#!/usr/bin/env bash
# mt-fetch keeps Maildirs in step with a Dovecot that offers no extension at all
set -- bare
. "${0%/*}/sync-dovecot.t"
