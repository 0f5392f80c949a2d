# SPDX-License-Identifier: BSD-2-Clause
# From `nm -n` of the linked kernel to the table that arch/x86_64/backtrace.c
# reads. With no input: an empty table, for the first link.
$2 ~ /^[tT]$/ && $3 !~ /^(trap_entry_|\.L)/ { address[n] = $1; name[n++] = $3 }

END {
	print "\t.section .symbols, \"a\", @progbits"
	print "\t.globl symbol_table, symbol_count, symbol_names"
	print "\t.balign 8"
	print "symbol_count:\t.long " n + 0 ", 0"
	print "symbol_table:"
	for (i = 0; i < n; i++) {
		print "\t.long 0x" substr(address[i], 9) ", " offset
		offset += length(name[i]) + 1
	}
	print "symbol_names:"
	for (i = 0; i < n; i++)
		print "\t.asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}

BEGIN { n = 0; offset = 0 }
