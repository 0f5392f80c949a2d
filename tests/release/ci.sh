#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the shell words of docs/ci.md in a folder that has nothing but the archive of a
# release: the blocks marked "tried", and of the hosted CI the steps' words, each as the
# service would run it. What installs or downloads is put out of action.
#
#	tests/release/ci.sh ARCHIVE

set -eu
archive=$(realpath "$1")
page=$PWD/docs/ci.md
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
bad=0

# In place of programs that would reach out.
mkdir "$room/bin"
printf '#!/bin/sh\nexit 0\n' >"$room/bin/sudo"
# shellcheck disable=SC2016 # for the stub
printf '#!/bin/sh\ncp "%s" .\n' "$archive" >"$room/bin/curl"
chmod +x "$room/bin/sudo" "$room/bin/curl"

# The blocks: NUMBER.sh for shell, and STEP.sh for each step of a workflow.
mkdir "$room/blocks"
awk -v out="$room/blocks/" '
function close_step() {
	if (step)
		close(step)
	step = ""
}
/^<!-- tried: / { tried = 1; next }
/^```/ && inside { inside = 0; close_step(); next }
/^```sh$/ && tried { inside = 1; tried = 0; file = out "shell.sh"; yaml = 0; next }
/^```yaml$/ && tried { inside = 1; tried = 0; yaml = 1; next }
/^```/ { inside = 1; file = "/dev/null"; yaml = tried = 0; next }
inside && !yaml { print >>file; next }
inside && /^        run: [|]$/ { close_step(); step = sprintf("%sstep%02d.sh", out, ++steps); next }
inside && step && /^          / { print substr($0, 11) >>step; next }
inside && step { close_step() }
' "$page"

# try NAME SHELL... FILE
try()
{
	words=$1
	shift
	mkdir -p "$room/$words"
	if (cd "$room/$words" && PATH=$room/bin:$PATH timeout 300 "$@") >"$room/log" 2>&1; then
		echo "ok - $words"
	else
		echo "not ok - $words"
		tail -n 20 "$room/log"
		bad=$((bad + 1))
	fi
}

for file in shell step03; do
	[ -s "$room/blocks/$file.sh" ] || { echo "docs/ci.md has no words to try"; exit 1; }
done
# The second block goes on where the first has ended, as a person does.
mkdir "$room/plain"
cp "$archive" "$room/plain/"
try plain sh -eu "$room/blocks/shell.sh"
# One step after the other in one folder; the service's shell is bash with this option.
export AEROSTAT=https://example.org/aerostat.tar.xz
for step in "$room"/blocks/step*.sh; do
	try hosted bash -e "$step"
done
# A guest that fails fails its step, on a folder where all steps have just passed.
for words in 'audit;/nosuch; audit;' 'run=.*; exit"/run=\\"audit; exit 3\\"'; do
	sed "s/$words/" "$room/blocks/step03.sh" >"$room/planted.sh"
	if cmp -s "$room/blocks/step03.sh" "$room/planted.sh" ||
	   (cd "$room/hosted" && timeout 300 bash -e "$room/planted.sh") >/dev/null 2>&1; then
		echo "not ok - a guest that fails passes the hosted step"
		bad=$((bad + 1))
	else
		echo "ok - a guest that fails does not pass the hosted step"
	fi
done

# And a release that is damaged is noticed.
mkdir "$room/damaged"
(cd "$room/damaged" && tar -xf "$archive" && echo x >>"$(echo aerostat-*)/aerostat.elf" &&
	tar -cJf "$(basename "$archive")" aerostat-* && rm -r aerostat-*/)
if (cd "$room/damaged" && timeout 300 sh -eu "$room/blocks/shell.sh") >/dev/null 2>&1; then
	echo "not ok - a damaged release passes"
	bad=$((bad + 1))
else
	echo "ok - a damaged release does not pass"
fi
[ $bad -eq 0 ] && echo "ci: the recipes work"
exit $((bad > 0))
