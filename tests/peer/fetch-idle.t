#!/usr/bin/env bash
# mt-fetch --watch with a server that tells of one mailbox only (IDLE)
set -- idle
. "${0%/*}/fetch-watch.t"
