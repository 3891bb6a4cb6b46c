#!/usr/bin/env bash
# mt-fetch keeps Maildirs in step with Dovecot over several connections at once
set -- parallel
. "${0%/*}/sync-dovecot.t"
