# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# For scripts that run others: parts.sh and sum_up.sh.

# logged LOG COMMAND...: runs it, and keeps what it prints, too. Its status is returned; 1 if
# it has none.
logged()
{
	log=$1
	shift
	rm -f "$log.status"
	{
		"$@"
		echo $? >"$log.status"
	} 2>&1 | tee "$log"
	logged_status=$(cat "$log.status" 2>/dev/null || echo 1)
	rm -f "$log.status"
	return "$logged_status"
}
