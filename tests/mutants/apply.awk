# SPDX-License-Identifier: BSD-2-Clause
#
# Prints a source file with one fault of the list in it:
#
#	awk -v fault=NAME -f apply.awk LIST FILE
#
# The old lines must stand in the file exactly once; if they do not, one line on
# standard error says so, nothing is printed, and the status is 1.

FNR == NR {
	if (sub(/^fault: /, ""))
		wanted = $0 == fault
	else if (wanted && /^-/)
		old[++olds] = substr($0, 2)
	else if (wanted && /^\+/)
		new[++news] = substr($0, 2)
	next
}

{
	line[++lines] = $0
}

function stands_at(at,    i)
{
	for (i = 1; i <= olds; i++)
		if (line[at + i - 1] != old[i])
			return 0
	return 1
}

END {
	for (at = 1; olds > 0 && at + olds - 1 <= lines; at++)
		if (stands_at(at)) {
			place = at
			places++
		}
	if (places != 1) {
		printf "its old lines stand there %d times, not once\n", places > "/dev/stderr"
		exit 1
	}
	for (i = 1; i < place; i++)
		print line[i]
	for (i = 1; i <= news; i++)
		print new[i]
	for (i = place + olds; i <= lines; i++)
		print line[i]
}
