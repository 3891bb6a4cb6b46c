#!/usr/bin/env bash
# mt-fetch keeps Maildirs in step with a Dovecot that offers CONDSTORE and no QRESYNC
set -- condstore
. "${0%/*}/sync-dovecot.t"
