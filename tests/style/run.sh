#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# tools/check_style.sh finds nothing in a small tree without fault, and in the same
# tree with one fault planted exactly the complaint that belongs to it.

set -u
check=$(cd "$(dirname "$0")/../.." && pwd)/tools/check_style.sh
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 2
bad=0
cases=0

# A header and its source, a user of them, a test.
plant_tree()
{
	rm -rf mm kernel tests
	mkdir -p mm kernel tests
	cat >mm/jar.h <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/* A jar of marbles. */
#ifndef MM_JAR_H
#define MM_JAR_H

/* Takes one out. -ENOENT: it is empty. */
int jar_take(void);

/* How many are in it, and how many it holds. */
unsigned jar_count(void);
unsigned jar_size(void);

/* Widths of a marble, in mm. */
static inline unsigned jar_narrow(void)
{
	return 10;
}

static inline unsigned jar_wide(void)
{
	return 20;
}

#endif
END
	cat >mm/jar.c <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/* A jar of marbles, "/" and all: it's easy. */
#include "mm/jar.h"

static unsigned count = 3;

static const char *const names[] = {
	[0] = "OPAL",
	[1] = "CATS_EYE",
	[2] = "ox-blood",
	[3] = "SULPHIDE",
};

int jar_take(void)
{
	assert(names[0]);
	return count ? (int)--count : -ENOENT;
}

unsigned jar_count(void)
{
	return count;
}

unsigned jar_size(void)
{
	return 4;
}
END
	cat >kernel/play.c <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/* Plays: "OPAL" in a comment, and "an OPAL" in a sentence, are no second table. */
#include "mm/jar.h"

void play(void)
{
	say("an OPAL", jar_count() * jar_narrow(), jar_size() * jar_wide());
	jar_take();
}
END
	cat >tests/jar_test.c <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests the jar. */
#include "mm/jar.h"

static const char *const second_opinion[] = { "OPAL", "SULPHIDE" };
END
}

# expect RULE COMPLAINT...: these lines and no others, but for the figures.
expect()
{
	rule=$1
	shift
	cases=$((cases + 1))
	"$check" "$tree" >said
	status=$?
	grep -v 'lines of code; asserts' said >complaints
	if [ "$#" -eq 0 ]; then
		set -- 'style: ok'
		[ "$status" -eq 0 ] || bad=1
	else
		[ "$status" -eq 1 ] || bad=1
	fi
	printf '%s\n' "$@" >expected
	if cmp -s expected complaints; then
		echo "ok - $rule"
	else
		echo "not ok - $rule: status $status, and"
		diff expected complaints
		bad=1
	fi
	plant_tree
}

# after FILE TEXT LINE...: puts lines after the one that is TEXT.
after()
{
	file=$1 text=$2
	shift 2
	printf '%s\n' "$@" >lines
	awk -v text="$text" '
	{ print }
	$0 == text { while ((getline line <"lines") > 0) print line }' "$file" >changed
	mv changed "$file"
}

plant_tree
expect 'a tree without fault'

sed -i 2d mm/jar.c
expect 'a file has a head comment' 'mm/jar.c:2: no head comment after the SPDX line'

sed -i '1s=.*=/* Free for all. */=' tests/jar_test.c
expect 'a file begins with its licence' \
	'tests/jar_test.c:1: the first line is no SPDX line'

after mm/jar.c '	return count;' "	/*$(printf '%090d' 0)*/"
expect 'a line has 100 columns at most, a tab being 8' \
	'mm/jar.c:23: a line of 102 columns; at most 100'

printf '/* SPDX-License-Identifier: BSD-2-Clause */\n/* %0101d */\n' 0 >mm/jar.S
expect 'nor has assembly longer lines' 'mm/jar.S:2: a line of 107 columns; at most 100'

# shellcheck disable=SC2046
after kernel/play.c '	jar_take();' $(yes 'again();' | head -n 56)
expect 'a function has 60 lines at most' 'kernel/play.c:5: play() has 61 lines; at most 60'

after kernel/play.c '	jar_take();' '	if (jar != NULL)' '		jar_take(); /* != NULL */'
# shellcheck disable=SC2016
expect 'a pointer is not compared with NULL' \
	'kernel/play.c:9: write `pointer` or `!pointer`; do not compare with NULL'

after mm/jar.h 'int jar_take(void);' '' 'unsigned jar_weight(void);'
after kernel/play.c '	jar_take();' '	jar_weight();'
expect 'a prototype has a comment' 'mm/jar.h:9: jar_weight() has no comment'

cat >tests/jar_fixture.h <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the jar share: its head is no comment of a prototype. */

void fill_jar(void);
END
expect 'so has one in a header of tests' 'tests/jar_fixture.h:4: fill_jar() has no comment'

sed -i '/^\/\* Widths/d' mm/jar.h
expect 'so has an inline function' 'mm/jar.h:13: jar_narrow() has no comment' \
	'mm/jar.h:18: jar_wide() has no comment'

sed -i 's/ -ENOENT: it is empty.//' mm/jar.h
expect 'an int says which errors, or what it is' \
	'mm/jar.h:7: jar_take() is an int; its comment says neither which errors nor "Returns"'

sed -i 's/Takes one out. -ENOENT/The same for one. -ENOENT/' mm/jar.h
expect 'a header comment stands alone' \
	'mm/jar.h:6: a comment that begins with "The same" does not stand alone'

after mm/jar.h '/* Takes one out. -ENOENT: it is empty. */' \
	'/*' ' * The same, with' ' * care. -EIO' ' */'
expect 'so does a long one' \
	'mm/jar.h:8: a comment that begins with "The same" does not stand alone'

sed -i 's/jar_size()/4/' kernel/play.c
after tests/jar_test.c '#include "mm/jar.h"' 'static unsigned (*size)(void) = jar_size;'
expect 'a public function has a caller outside its file, and tests are none' \
	'mm/jar.h:11: nobody calls jar_size() outside the file that defines it'

sed -i 's/an OPAL/OPAL/' kernel/play.c
expect 'a name of a table stands in no second file' \
	'kernel/play.c:7: "OPAL" stands in the table of mm/jar.c, too'

# shellcheck disable=SC1003
after kernel/play.c '#include "mm/jar.h"' \
	'#define MARBLE_TABLE(X) X(1, "onion-skin") X(2, "LUTZ") \' \
	'	X(3, "MICA") X(4, "CLAY")' 'const char *first = "onion-skin", *other;'
sed -i 's/jar_size() \*/jar_size() * LUTZ */' kernel/play.c
after mm/jar.c 'static unsigned count = 3;' 'static const char *fine = "onion-skin";'
expect 'nor does one of a table of macros' \
	'mm/jar.c:6: "onion-skin" stands in the table of kernel/play.c, too'

sed -i 's/assert(names\[0\]);/count_of_assert();/' mm/jar.c
expect 'code asserts' 'mm: too few assertions; at least 8, and 5 at run time'

sed -i 's/assert(names\[0\]);/_Static_assert(4 > 3, "");/' mm/jar.c
expect 'some of it at run time' 'mm: too few assertions; at least 8, and 5 at run time'

echo "style: $cases cases"
exit "$bad"
