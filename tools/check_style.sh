#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The rules of style that a machine can hold; tests/style/run.sh plants an
# offender for each of them.
#
#   tools/check_style.sh [ROOT]    the tree to look at; without it, this one
#
# Reads C sources and headers (and assembly, for its head, the length of its lines,
# and who calls what) and counts on the layout of `make fmt`: what a file defines or
# declares begins in the first column, as does the brace that opens or ends a function.

set -u
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}" || exit 2
complaints=$(mktemp) || exit 2
trap 'rm -f "$complaints"' EXIT

# Assertions per thousand lines of code: all of them, and those at run time.
ASSERTED='mm drivers/virtio drivers/balloon kernel/task'
ASSERTS_MIN=8
ASSERTS_RUN_MIN=5

# Public functions that no line of C or assembly calls, and who does.
CALLED_BY_OTHERS='
sbrk	newlib: malloc() gets its memory there
balloon_step	a round of the task, which tests drive by hand
balloon_batch_refuse	ports: virtio refuses nothing, others do (tests/sim has two)
balloon_return_run	ports: virtio never chooses frames, others do (likewise)
virtio_mmio_forget	tests that have several machines in turn
le64_to_cpu	simulated devices read what drivers wrote; the set stays whole
'

# files PATTERN: the sources, tests among them, whose paths match.
files()
{
	find arch drivers kernel mm tools tests -name '*.[chS]' 2>/dev/null | sort | grep -E "$1"
}

# What the programs below share. code(LINE) is a line without its comments and with
# "" for each string; its strings are text[1] to text[texts], its comments `said`.
# shellcheck disable=SC2016
shared='
function code(s,    out, token) {
	if (FNR == 1)
		in_comment = 0
	texts = 0
	said = out = ""
	while (s != "") {
		if (in_comment) {
			in_comment = !match(s, /\*\//)
			said = said (in_comment ? s : substr(s, 1, RSTART - 1))
			if (in_comment)
				break
		} else if (match(s, /"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|\/\*|\/\/.*/)) {
			token = substr(s, RSTART, RLENGTH)
			out = out substr(s, 1, RSTART - 1)
			in_comment = token == "/*"
			if (token ~ /^"/) {
				text[++texts] = substr(token, 2, RLENGTH - 2)
				out = out "\"\""
			} else if (token ~ /^\047/)
				out = out "0"
		} else
			return out s
		s = substr(s, RSTART + RLENGTH)
	}
	return out
}
# The function that a line of code declares or defines, or "".
function declared(s) {
	if (s !~ /^[A-Za-z_][A-Za-z0-9_ *]*[ *][A-Za-z_][A-Za-z0-9_]*\(/ || s ~ /^typedef/)
		return ""
	sub(/\(.*/, "", s)
	sub(/.*[ *]/, "", s)
	return s
}
function complain(line, sentence) { print FILENAME ":" line ": " sentence }
'

# All sources, tests and assembly too: the head, the length of lines and functions, NULL.
check_shape()
{
	# shellcheck disable=SC2016
	files '\.[chS]$' | xargs awk "$shared"'
	FNR == 1 && !/SPDX-License-Identifier/ { complain(1, "the first line is no SPDX line") }
	FNR == 2 && !/^\/\*/ { complain(2, "no head comment after the SPDX line") }
	{
		wide = $0
		while (tab = index(wide, "\t"))
			wide = substr(wide, 1, tab - 1) substr("        ", 1 + (tab - 1) % 8) \
				substr(wide, tab + 1)
		if (length(wide) > 100)
			complain(FNR, "a line of " length(wide) " columns; at most 100")
		line = code($0)
	}
	line ~ /[!=]= NULL/ { complain(FNR, "write `pointer` or `!pointer`; do not compare with NULL") }
	declared(line) != "" { name = declared(line); start = FNR }
	/^}$/ && name != "" && FNR - start + 1 > 60 {
		complain(start, name "() has " FNR - start + 1 " lines; at most 60")
	}
	/^}/ { name = "" }'
}

# All headers, tests too: comments. One covers what follows it up to a blank line;
# above an inline function, all inline functions that follow it.
check_contracts()
{
	# shellcheck disable=SC2016
	files '\.h$' | xargs awk "$shared"'
	FNR == 1 { covered = commenting = inlines = 0 }
	{ line = code($0); name = declared(line) }
	line ~ /^[ \t]*$/ && (said != "" || in_comment) {
		if (!commenting || /^[ \t]*\/\*/)
			comment = ""
		if (comment ~ /^[* \t\/]*$/ && said ~ /^[* \t]*The same/)
			complain(FNR, "a comment that begins with \"The same\" does not stand alone")
		comment = comment said
		commenting = covered = 1
		inlines = 0
		next
	}
	{ commenting = in_comment }
	name != "" {
		if (inlines && line !~ /inline/)
			covered = 0
		if (!covered && said == "")
			complain(FNR, name "() has no comment")
		else if (line ~ /^(static inline )?int / &&
			 (comment said) !~ /-E[A-Z0-9]+|errno|[Rr]eturns|status/)
			complain(FNR, name "() is an int; its comment says neither which errors nor \"Returns\"")
		inlines = line ~ /inline/
	}
	/^$/ && !inlines || /^#/ || /^};/ { covered = inlines = 0 }'
}

# Guest and tools: each function that a header declares has a user outside the file
# that defines it. A macro or inline function of the header counts; a test does not,
# but for those that are programs beside QEMU and share what drives it, in tools/.
check_callers()
{
	# shellcheck disable=SC2016
	files '^([^t]|tools|tests/(integration|matrix|bench)/)' |
		xargs awk -v others="$CALLED_BY_OTHERS" "$shared"'
	BEGIN {
		count = split(others, row, "\n")
		for (i = 1; i <= count; i++) {
			split(row[i], word, " ")
			used[word[1]] = 1
		}
	}
	{ line = code($0); name = declared(line); header = FILENAME ~ /\.h$/ }
	name != "" && header && FILENAME !~ /^tests/ && !(name in where) { where[name] = FILENAME ":" FNR }
	name != "" && line !~ /;/ && (header ? line ~ /inline/ : line !~ /^static/) {
		defined[name] = FILENAME
	}
	{
		gsub(/(\.|->)[A-Za-z_][A-Za-z0-9_]*/, "", line)
		gsub(/[^A-Za-z0-9_]+/, " ", line)
		words = split(line, word, " ")
		for (i = 1; i <= words; i++)
			if (word[i] != name && !((word[i], FILENAME) in seen)) {
				seen[word[i], FILENAME] = 1
				users[word[i]] = users[word[i]] " " FILENAME
			}
	}
	END {
		for (name in where) {
			n = split(users[name], user, " ")
			for (i = 1; i <= n; i++)
				if (user[i] != defined[name] || user[i] ~ /\.h$/)
					used[name] = 1
			if (!(name in used))
				print where[name] ": nobody calls " name "() outside the file that defines it"
		}
	}' | sort -t : -k 1,1 -k 2,2n
}

# Guest and tools: a name table is four rows or more, one after the other, of the form
# `[INDEX] = "name"`, `{ ..., "name" ...` or `X(..., "name" ...`. Its names in capitals
# or with hyphens stand in no second file.
check_names()
{
	# shellcheck disable=SC2016
	files '^[^t].*[ch]$|^tools.*[ch]$' | xargs awk "$shared"'
	function end_table(    i) {
		for (i = 1; rows >= 4 && i <= names; i++)
			if (!(name[i] in table))
				table[name[i]] = file
		rows = names = 0
	}
	FNR == 1 { end_table(); file = FILENAME }
	{
		line = code($0)
		found = gsub(/\[[A-Za-z0-9_]+\] = ""|{ [^"{}]*""|X\([^"()]*""/, "", line)
		if (found)
			rows += found
		else
			end_table()
		for (i = 1; i <= texts; i++)
			if (text[i] ~ /^[A-Z][A-Z0-9_]+$|^[a-z0-9]+(-[a-z0-9]+)+$/) {
				if (found)
					name[++names] = text[i]
				places[text[i]] = places[text[i]] " " FILENAME ":" FNR
			}
	}
	END {
		end_table()
		for (text_ in table) {
			n = split(places[text_], place, " ")
			for (i = 1; i <= n; i++)
				if (index(place[i], table[text_] ":") != 1)
					print place[i] ": \"" text_ "\" stands in the table of " table[text_] ", too"
		}
	}' | sort -t : -k 1,1 -k 2,2n
}

# Prints the figures, with a complaint where they are too low.
count_asserts()
{
	for folder in $ASSERTED; do
		[ -d "$folder" ] || continue
		# shellcheck disable=SC2016
		files "^$folder/.*[ch]$" | xargs awk -v folder="$folder" -v min="$ASSERTS_MIN" \
			-v run_min="$ASSERTS_RUN_MIN" "$shared"'
		{ line = code($0) }
		line ~ /[^ \t]/ { lines++ }
		line ~ /(^|[^a-zA-Z0-9_])assert\(/ { run++ }
		line ~ /_Static_assert\(/ { fixed++ }
		END {
			all = (run + fixed) * 1000 / lines
			run = run * 1000 / lines
			printf "%-16s %5d lines of code; asserts per thousand: %4.1f, at run time %4.1f\n",
				folder, lines, all, run
			if (all < min || run < run_min)
				printf "%s: too few assertions; at least %d, and %d at run time\n",
					folder, min, run_min
		}'
	done
}

if [ -z "$(files .)" ]; then
	echo "$0: there are no sources in $PWD" >&2
	exit 2
fi
{
	check_shape
	check_contracts
	check_callers
	check_names
	count_asserts
} >"$complaints"

cat "$complaints"
if grep -qv 'lines of code; asserts' "$complaints"; then
	exit 1
fi
echo "style: ok"
