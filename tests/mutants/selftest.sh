#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2086 # lists of words
#
# The parts of `make mutants`, by themselves: which faults the rules make of a small
# file and which they leave alone, that a seed draws the same again, which programs run
# a line, which entries of the lists are stale, and that a program which goes round or waits for ever comes to an end.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/mutants/limits.sh
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT
bad=0

# same WHAT: whether $room/expected is $room/seen
same()
{
	diff -u "$room/expected" "$room/seen" && return
	echo "tests/mutants/selftest.sh: $1: not what was expected"
	bad=1
}

# ---- Rules ----

cat > "$room/jar.c" <<'END'
/* a < b in a comment; x + y */
#include "kernel/jar.h"

#define JAR_SIZE (2 * 16UL) /* 3 */
#define TWICE(x) (2 * (x))
#define UNUSED 7

static const int sizes[] = { 1, 2 };
_Static_assert(JAR_SIZE > 1, "4 + 4");

int jar_fill(struct jar *jar, int count)
{
	char text[32];
	int *last = NULL;

	assert(count >= 0 && jar->size + 1 > 0);
	if (!jar)
		return -EINVAL;
	while (count-- > 0 && jar->room) {
		/* 5 > 6
		   return; */
		log_warn("a + 1 < %d", '<');
	}
	jar->size = JAR_SIZE + sizeof(text[0]);
	jar_close(jar, true);
	jar->size += 1;
	jar_print("a",
		  jar);
	(void)count;
	return (int)-jar->size << 1;
}
END

cut_faults()
{
	awk -F '\t' '{ print $3 "-" $4, $5, $7 ": " $8 "  =>  " $9 }' "$1"
}

# What stands outside of functions, in assertions, strings, comments, sizes of arrays and
# macros with arguments has none; nor has the last `return`, or `(void)count`.
cat > "$room/expected" <<'END'
17-17 17-17 condition: if (!jar)  =>  if (!(!jar))
18-18 18-18 return: return -EINVAL;  =>  (void)0;
19-19 19-19 arithmetic: while (count-- > 0 && jar->room) {  =>  while (count++ > 0 && jar->room) {
19-19 19-19 comparison: while (count-- > 0 && jar->room) {  =>  while (count-- >= 0 && jar->room) {
19-19 19-19 comparison: while (count-- > 0 && jar->room) {  =>  while (count-- < 0 && jar->room) {
19-19 19-19 constant: while (count-- > 0 && jar->room) {  =>  while (count-- > 1 && jar->room) {
19-19 19-19 logic: while (count-- > 0 && jar->room) {  =>  while (count-- > 0 || jar->room) {
22-22 22-22 call: log_warn("a + 1 < %d", '<');  =>  (void)0;
24-25 24-25 order: jar->size = JAR_SIZE + sizeof(text[0]); jar_close(jar, true);  =>  jar_close(jar, true); jar->size = JAR_SIZE + sizeof(text[0]);
24-24 24-24 arithmetic: jar->size = JAR_SIZE + sizeof(text[0]);  =>  jar->size = JAR_SIZE - sizeof(text[0]);
25-25 25-25 call: jar_close(jar, true);  =>  (void)0;
25-26 25-26 order: jar_close(jar, true); jar->size += 1;  =>  jar->size += 1; jar_close(jar, true);
25-25 25-25 constant: jar_close(jar, true);  =>  jar_close(jar, false);
26-26 26-26 arithmetic: jar->size += 1;  =>  jar->size -= 1;
26-26 26-26 constant: jar->size += 1;  =>  jar->size += (1 + 1);
26-26 26-26 constant: jar->size += 1;  =>  jar->size += (1 - 1);
27-28 27-28 call: jar_print("a", jar);  =>  (void)0;
30-30 30-30 constant: return (int)-jar->size << 1;  =>  return (int)-jar->size << (1 + 1);
30-30 30-30 constant: return (int)-jar->size << 1;  =>  return (int)-jar->size << (1 - 1);
4-4 24-24 constant: #define JAR_SIZE (2 * 16UL) /* 3 */  =>  #define JAR_SIZE ((2 + 1) * 16UL) /* 3 */
4-4 24-24 constant: #define JAR_SIZE (2 * 16UL) /* 3 */  =>  #define JAR_SIZE ((2 - 1) * 16UL) /* 3 */
4-4 24-24 constant: #define JAR_SIZE (2 * 16UL) /* 3 */  =>  #define JAR_SIZE (2 * (16UL + 1)) /* 3 */
4-4 24-24 constant: #define JAR_SIZE (2 * 16UL) /* 3 */  =>  #define JAR_SIZE (2 * (16UL - 1)) /* 3 */
END
(cd "$room" && awk -f "$OLDPWD/tests/mutants/sites.awk" jar.c) > "$room/sites"
cut_faults "$room/sites" > "$room/seen"
same "faults of a small file"

# ---- Draws ----

cat > "$room/equivalent" <<'END'
file: jar.c
in:   jar_fill
why:  to see it known
-return -EINVAL;
+(void)0;
END

# draw SEED
draw()
{
	awk -v seed="$1" -f tests/mutants/draw.awk "$room/equivalent" "$room/sites"
}

draw 1 > "$room/expected"
draw 1 > "$room/seen"
same "the same seed"
draw 2 | cmp -s - "$room/expected" && {
	echo "tests/mutants/selftest.sh: two seeds draw the same"
	bad=1
}
cut -f 6 "$room/sites" | sort -u > "$room/expected"
draw 3 | cut -f 7 | sort > "$room/seen"
same "each site once"
echo "known return -EINVAL;" > "$room/expected"
draw 4 | awk -F '\t' '$1 != "try" { print $1, $9 }' > "$room/seen"
same "what is known to change nothing"

# ---- Which programs run a line ----

# felt RANGES
felt()
{
	awk -v felt="$1" -f tests/mutants/felt.awk "$room/lines" | tr '\n' ' '
	echo
}

printf '%s\n' '10 1 shelf' '10 0 jar' '12 1 jar' '14 0 jar' '15 1 lid' > "$room/lines"
printf '%s\n' 'shelf ' 'shelf ' 'jar ' '' 'shelf jar ' 'lid jar ' > "$room/expected"
for range in 10-10 11-11 13-13 14-14 11-14 15-15,12-12; do
	felt "$range"
done > "$room/seen"
same "programs that run a line"

# ---- What the lists name is still there ----

# In the test's own file, whose lines stay: one fault that is there, others that are not.
mkdir "$room/lists"
cat > "$room/lists/list" <<'END'
fault: there
file: tests/mutants/apply.awk
-END {
+BEGIN {

fault: gone
file: tests/mutants/apply.awk
-a line that nobody wrote
+another

fault: twice
file: tests/mutants/apply.awk
-END {
+BEGIN {

fault: twice
file: tests/mutants/apply.awk
-END {
+
END
cat > "$room/lists/equivalent" <<'END'
file: kernel/gone.c
in:   -
why:  the file is gone
-int a = 1;
+int a = 2;
END
tests/mutants/lists.sh "$room/lists" > "$room/seen" && echo "the status is 0" >> "$room/seen"
cat > "$room/expected" <<'END'
twice: two faults of the list have this name
gone: in tests/mutants/apply.awk its old lines stand there 0 times, not once
twice: in tests/mutants/apply.awk its old lines stand there 0 times, not once
twice: in tests/mutants/apply.awk its old lines stand there 0 times, not once
kernel/gone.c: named as changing nothing, but no rule makes it: int a = 1;
END
same "what is stale in the lists"

# ---- Limits ----

cat > "$room/round" <<'END'
#!/bin/sh
while :; do :; done
END
cat > "$room/wait" <<'END'
#!/bin/sh
exec sleep 600
END
cat > "$room/fill" <<'END'
#!/bin/sh
exec cat /dev/zero
END
chmod +x "$room/round" "$room/wait" "$room/fill"
echo "137 137 153" > "$room/expected"
for limited in "round 1 600" "wait 600 1" "fill 600 600"; do
	set -- $limited
	run_limited "$room/$1" "$2" "$3" "$room/output"
	printf '%s ' $?
done 2>/dev/null | sed 's/ $//' > "$room/seen"
echo >> "$room/seen"
same "statuses of what does not end by itself"

[ $bad -eq 0 ] && echo "tests/mutants/selftest.sh: all as expected"
exit $bad
