#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC1007,SC2254 # empty values; a pattern
#
# Whether what a person has asked make for is there, before anything is built. Prints one
# line that says what is wrong and what there is, or nothing; tests/wanted.mk ends with it.
#
#	wanted.sh names VARIABLE VALUE WHAT	one of the lines of standard input is like
#						VALUE, a pattern with * and ?
#	wanted.sh number VARIABLE VALUE LEAST	VALUE is a whole number from LEAST on

set -u
TOLD=12

case $1 in
number)
	case $3 in
	'' | *[!0-9]*) ;;
	*) [ "$3" -lt "$4" ] || exit 0 ;;
	esac
	echo "$2=$3: a whole number is wanted, from $4 on"
	exit
	;;
esac

variable=$2 value=$3 what=$4
count=0 near=0 told= like=
while IFS= read -r name; do
	case $name in
	$value) exit 0 ;;
	*"$value"*)
		near=$((near + 1))
		[ $near -gt $TOLD ] || like="$like $name"
		;;
	esac
	count=$((count + 1))
	if [ $count -le $TOLD ]; then
		told="$told $name"
	fi
done
text="$variable=$value: no $what has such a name"
if [ $near -gt 0 ]; then
	text="$text; $variable='*$value*' would be"
	count=$near told=$like
else
	text="$text; there are"
fi
[ $count -le $TOLD ] || told="$told and $((count - TOLD)) more"
echo "$text$told"
