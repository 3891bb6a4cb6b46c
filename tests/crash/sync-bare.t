#!/usr/bin/env bash
# mt-fetch is killed while it synchronises with a Dovecot that offers no extension at all
set -- bare
. "${0%/*}/sync.t"
