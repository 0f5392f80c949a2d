# SPDX-License-Identifier: BSD-2-Clause
#
# Shuffles the sites of sites.awk, takes one fault of each, and prints it with `try` or
# `known` before it: known are those of a list of faults that change nothing.
#
#	awk -v seed=N -f draw.awk EQUIVALENT SITES
#
# The same seed and the same sources are the same order, whichever awk it is.

BEGIN {
	FS = OFS = "\t"
	state = (seed * 7919 + 12345) % 2147483647
}

# 0 to below - 1, by Park and Miller.
function random(below)
{
	state = (state * 16807) % 2147483647
	return int(state / 2147483647 * below)
}

FILENAME == ARGV[1] {
	if (sub(/^file: */, ""))
		file = $0
	else if (sub(/^in: */, ""))
		within = $0
	else if (/^-/)
		old = substr($0, 2)
	else if (/^\+/)
		known[file, within, old, substr($0, 2)] = 1
	next
}

# Sites are from[] to below to[].
$1 != last_file || $6 != last_site {
	last_file = $1
	last_site = $6
	from[++sites] = faults + 1
}

{
	fault[++faults] = $0
	to[sites] = faults + 1
	is_known[faults] = ($1, $2, $8, $9) in known
}

END {
	for (; sites > 0; sites--) {
		site = 1 + random(sites)
		n = from[site] + random(to[site] - from[site])
		print is_known[n] ? "known" : "try", fault[n]
		from[site] = from[sites]
		to[site] = to[sites]
	}
}
