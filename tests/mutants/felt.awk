# SPDX-License-Identifier: BSD-2-Clause
#
# Prints the programs that run one of some lines of a file:
#
#	awk -v felt=FROM-TO,... -f felt.awk LINES
#
# LINES has "LINE 0|1 PROGRAM" for those that have code. Of a range that has none it is
# the last before it, where its statement begins.

{
	has_code[$1] = 1
	if ($2)
		runs[$1, ++count[$1]] = $3
}

function print_line(l,    i)
{
	for (i = 1; i <= count[l]; i++)
		if (!printed[runs[l, i]]++)
			print runs[l, i]
}

END {
	n = split(felt, ranges, ",")
	for (r = 1; r <= n; r++) {
		split(ranges[r], range, "-")
		for (l = range[1]; l > 0 && !(l in has_code); )
			l--
		print_line(l)
		for (l = range[1]; l <= range[2]; l++)
			print_line(l)
	}
}
