#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What Prometheus and systemd themselves say of the files in tools/balloonctl/contrib,
# and of the metrics:
#
#	tests/contrib/run.sh BUILD
#
# promtool comes from Debian's package, unpacked below BUILD, as to install it would
# start a service. What cannot be had here is no failure; BUILD/contrib-results, which
# test-all shows at its end, has it.

set -eu
build=$1
here=tools/balloonctl/contrib
results=$build/contrib-results
mkdir -p "$build"
: >"$results"

# say WORDS: as a result.
say()
{
	echo "check-contrib: $*" | tee -a "$results"
}

find_promtool()
{
	promtool=$(command -v promtool) && return
	promtool=$build/promtool/usr/bin/promtool
	[ ! -x "$promtool" ] || return 0
	mkdir -p "$build/promtool"
	(cd "$build/promtool" && apt-get download -qq prometheus &&
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool) \
		>"$build/promtool/log" 2>&1 && [ -x "$promtool" ]
}

if find_promtool; then
	"$promtool" check rules "$here/balloonctl-alerts.yml"
	"$promtool" test rules "$here/balloonctl-alerts_test.yml"
	METRICS_FILE=$build/metrics.prom "$build/tests/tools/balloonctl/export" \
		>"$build/metrics.log" 2>&1 || { cat "$build/metrics.log"; exit 1; }
	# Only a lint of names, units and help texts: it says nothing if all is well.
	found=$("$promtool" check metrics <"$build/metrics.prom" 2>&1) || { echo "$found"; exit 1; }
	[ -z "$found" ] || { echo "$found"; exit 1; }
	say "promtool finds no fault with the alerts, their test and the metrics"
else
	say "not run: promtool cannot be had here (apt-get download prometheus)"
fi

# It wants the programs that the unit starts: ours need not be installed.
if command -v systemd-analyze >/dev/null; then
	unit=$build/systemd/balloonctl-export.service
	mkdir -p "$build/systemd"
	sed "s,/usr/bin/balloonctl,$(command -v true)," "$here/balloonctl-export.service" >"$unit"
	found=$(systemd-analyze verify --man=no "$unit" 2>&1) || { echo "$found"; exit 1; }
	# Other units of this machine are none of ours.
	! echo "$found" | grep balloonctl || exit 1
	say "systemd-analyze finds no fault with the unit"
else
	say "not run: there is no systemd-analyze here"
fi
