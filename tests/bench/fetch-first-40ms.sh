#!/usr/bin/env bash
# fetch-first-40ms - as fetch-first, with 20 ms of delay each way
#
#	MESSAGES=20000 ROUNDS=3 tests/bench/fetch-first-40ms.sh
DELAY=20 exec "${0%/*}/fetch-first.sh"
