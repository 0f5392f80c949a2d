# SPDX-License-Identifier: BSD-2-Clause
#
# Lists the small faults that a rule can put into a C source file as clang-format
# leaves it:
#
#	awk -f sites.awk FILE
#
# A fault is a line of fields, with tabs between: the file, the function (or -), the
# first and the last line that it replaces, the lines whose being run makes it felt,
# the site, the rule, the old text, the new text. A site is a place in the file and has
# one fault or two. Comments, strings, assertions, tables at file scope, and macros
# with arguments have none.

BEGIN {
	OFS = "\t"
	swap("comparison", "<", "<= >")
	swap("comparison", "<=", "< >=")
	swap("comparison", ">", ">= <")
	swap("comparison", ">=", "> <=")
	swap("comparison", "==", "!=")
	swap("comparison", "!=", "==")
	swap("logic", "&&", "||")
	swap("logic", "||", "&&")
	swap("arithmetic", "+", "-")
	swap("arithmetic", "-", "+")
	swap("arithmetic", "+=", "-=")
	swap("arithmetic", "-=", "+=")
	swap("arithmetic", "++", "--")
	swap("arithmetic", "--", "++")
	swap("constant", "true", "false")
	swap("constant", "false", "true")
	words("if for while switch do else return goto break continue case default sizeof",
	      keyword)
	words("= += -= *= /= %= &= |= ^= <<= >>= ++ --", assigns)
	words("assert _Static_assert sizeof va_end __atomic_signal_fence cpu_relax", exempt)
	words("int long short char unsigned bool double *", type)
}

function swap(rule, old, new)
{
	rule_of[old] = rule
	swapped[old] = new
}

function words(list, set,    n, i, each)
{
	n = split(list, each, " ")
	for (i = 1; i <= n; i++)
		set[each[i]] = 1
}

{
	raw[NR] = $0
	code[NR] = mask($0)
}

# The line with blanks for its comments, and for what stands in its strings.
function mask(s,    out, quote, c, at)
{
	for (at = 1; at <= length(s); at++) {
		c = substr(s, at, 1)
		if (in_comment || (!quote && substr(s, at, 2) == "/*")) {
			in_comment = 1
			if (substr(s, at, 2) == "*/" && c == "*") {
				in_comment = 0
				out = out " "
				at++
			}
			c = " "
		} else if (quote) {
			if (c == "\\") {
				out = out " "
				at++
				c = " "
			} else if (c == quote) {
				quote = ""
			} else {
				c = " "
			}
		} else if (c == "\"" || c == "'") {
			quote = c
		}
		out = out c
	}
	return out
}

# ---- Tokens: their text, line and column ----

function scan(l,    s, column)
{
	s = code[l]
	column = 1
	while (s != "") {
		if (!match(s, /^([ \t]+|[A-Za-z_][A-Za-z_0-9]*|[0-9][0-9A-Za-z_.]*)/) &&
		    !match(s, /^(<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*\/%&|^]=)/))
			RLENGTH = 1
		if (s !~ /^[ \t]/) {
			text[++tokens] = substr(s, 1, RLENGTH)
			line_of[tokens] = l
			column_of[tokens] = column
		}
		column += RLENGTH
		s = substr(s, RLENGTH + 1)
	}
}

# Bodies of functions stand between braces in the first column.
function scan_bodies(    l, body)
{
	for (l = 1; l <= NR; l++) {
		if (code[l] ~ /^[A-Za-z_].*\(/) {
			name = code[l]
			sub(/__attribute__[ ]*\(\(.*\)\)/, "", name)
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
		}
		if (code[l] ~ /^}/)
			body = 0
		if (body && code[l] !~ /^#/) {
			within[l] = name
			scan(l)
		}
		if (code[l] ~ /^{/)
			body = 1
	}
}

# Where each parenthesis, bracket and brace has its other half; what is left alone.
function pair(    i, top, stack)
{
	for (i = 1; i <= tokens; i++) {
		if (text[i] ~ /^[[({]$/)
			stack[++top] = i
		if (text[i] ~ /^[])}]$/ && top > 0) {
			other[i] = stack[top]
			other[stack[top--]] = i
		}
	}
	for (i = 1; i < tokens; i++)
		if (text[i] in exempt && text[i + 1] == "(")
			for (top = i; top <= other[i + 1]; top++)
				hidden[top] = 1
}

# ---- What is printed ----

function trim(s)
{
	gsub(/[ \t]+/, " ", s)
	gsub(/^ | $/, "", s)
	return s
}

function put(rule, from, to, new,    old, l)
{
	for (l = from; l <= to; l++)
		old = old " " raw[l]
	print FILENAME, within[from] ? within[from] : "-", from, to, \
		felt ? felt : from "-" to, site, rule, trim(old), trim(new)
}

# A fault within a line: `size` characters from a token on become others.
function put_token(rule, i, size, new,    s)
{
	s = raw[line_of[i]]
	put(rule, line_of[i], line_of[i], substr(s, 1, column_of[i] - 1) new \
	    substr(s, column_of[i] + size))
}

# ---- Rules for a token ----

# Whether it has an operand on its left: that is, is no sign.
function is_binary(i,    before)
{
	before = text[i - 1]
	if (before == ")")
		return !(text[i - 2] in type) && text[i - 2] !~ /_t$/
	return before == "]" || (before ~ /^[A-Za-z_0-9]/ && !(before in keyword))
}

# char text[32], struct { 0 }
function is_size_or_blank(i)
{
	if (text[i - 1] == "[")
		return text[i - 3] ~ /^[A-Za-z_*]/ && !(text[i - 3] in keyword)
	return text[i - 1] == "{" && text[i + 1] == "}"
}

function mutate_number(i,    n)
{
	n = text[i]
	if (n ~ /[.]/ || n ~ /^[0-9]+[eE]/ || is_size_or_blank(i))
		return
	site++
	put_token("constant", i, length(n), n ~ /^0[uUlL]*$/ ? "1" : "(" n " + 1)")
	if (n !~ /^0[uUlL]*$/)
		put_token("constant", i, length(n), "(" n " - 1)")
}

function mutate_token(i,    t, n, each, v)
{
	t = text[i]
	if (t ~ /^[0-9]/)
		mutate_number(i)
	if (!(t in swapped) || (t ~ /^[-+]$/ && !is_binary(i)))
		return
	site++
	n = split(swapped[t], each, " ")
	for (v = 1; v <= n; v++)
		put_token(rule_of[t], i, length(t), each[v])
}

# if (found(x)): conditions that have no operator of their own to swap.
function mutate_condition(i,    end, j, s, open)
{
	end = other[i + 1]
	for (j = i + 2; j < end; j++)
		if (rule_of[text[j]] ~ /^(comparison|logic)$/)
			return
	if (line_of[i] != line_of[end])
		return
	site++
	s = raw[line_of[i]]
	open = column_of[i + 1]
	put("condition", line_of[i], line_of[i], substr(s, 1, open) "!" \
	    substr(s, open, column_of[end] - open + 1) substr(s, column_of[end]))
}

# ---- Rules for a statement: it begins a line ----

function begins_statement(i,    before)
{
	before = text[i - 1]
	if (line_of[i - 1] == line_of[i] || text[i] ~ /^[{}]$/)
		return 0
	return before ~ /^[;{}:]$/ || before == "else" || before == "do" || is_body(i)
}

# if (...) STATEMENT, without braces.
function is_body(i)
{
	if (text[i - 1] == "else")
		return 1
	return text[i - 1] == ")" && text[other[i - 1] - 1] ~ /^(if|for|while|switch)$/
}

function end_of_statement(i)
{
	while (i <= tokens && text[i] != ";")
		i = text[i] ~ /^[[({]$/ ? other[i] + 1 : i + 1
	return i
}

# name(...), a->b[c](...), (void)name(...): where its arguments begin.
function arguments_of(i, end)
{
	if (text[i] == "(" && text[i + 1] == "void")
		i += 3
	if (text[i] !~ /^[A-Za-z_]/ || text[i] in keyword || text[i] in exempt)
		return 0
	for (i++; text[i] ~ /^(->|[.[])$/; )
		i = text[i] == "[" ? other[i] + 1 : i + 2
	return text[i] == "(" && other[i] == end - 1 ? i : 0
}

# The operator of an assignment that declares nothing.
function assignment_of(i, end)
{
	if (text[i] in keyword || text[i] ~ /^(static|const|struct|enum|union)$/ ||
	    (text[i] ~ /^[A-Za-z_]/ && text[i + 1] ~ /^[A-Za-z_*]/))
		return 0
	while (i < end && !(text[i] in assigns))
		i = text[i] ~ /^[[({]$/ ? other[i] + 1 : i + 1
	return i < end ? i : 0
}

function joined(from, to,    s)
{
	for (s = " "; from <= to; from++)
		s = s text[from] " "
	return s
}

# Whether a call gets the whole of what has this name.
function is_passed(name, call)
{
	return index(call, " " name " ,") || index(call, " " name " )")
}

# The first argument of a call, whose arguments begin there.
function first_argument(open,    i, s)
{
	for (i = open + 1; text[i] != "," && i < other[open]; )
		if (text[i] ~ /^[[({]$/) {
			s = s joined(i, other[i])
			i = other[i] + 1
		} else {
			s = s " " text[i++]
		}
	return s
}

# Whether the order of two statements may matter: what one sets the other uses, both are
# about the same thing, or about nothing that can be seen.
function order_matters(a, a_end, b, b_end,    set_a, set_b, call_a, call_b)
{
	set_a = assignment_of(a, a_end)
	set_b = assignment_of(b, b_end)
	call_a = arguments_of(a, a_end)
	call_b = arguments_of(b, b_end)
	if (call_a && call_b)
		return first_argument(call_a) == first_argument(call_b) ||
			joined(a, call_a) joined(b, call_b) ~ /barrier/
	if (set_a && (set_b || call_b) && index(joined(b, b_end), joined(a, set_a - 1)))
		return 1
	if (set_b && (set_a || call_a) && index(joined(a, a_end), joined(b, set_b - 1)))
		return 1
	if (set_a && call_b)
		return text[a + 1] ~ /^(->|[.])$/ && is_passed(text[a], joined(call_b, b_end))
	if (set_b && call_a)
		return text[b + 1] ~ /^(->|[.])$/ && is_passed(text[b], joined(call_a, a_end))
	return 0
}

function mutate_order(a, a_end,    b, b_end)
{
	b = a_end + 1
	b_end = end_of_statement(b)
	if (is_body(a) || b_end > tokens || text[b] ~ /^[{}]$/ || hidden[a] || hidden[b] ||
	    line_of[a] != line_of[a_end] || line_of[b] != line_of[b_end] ||
	    line_of[b] != line_of[a] + 1 || !order_matters(a, a_end, b, b_end))
		return
	site++
	put("order", line_of[a], line_of[b], raw[line_of[b]] " " raw[line_of[a]])
}

function mutate_statement(i,    end, rule)
{
	end = end_of_statement(i)
	if (end > tokens)
		return
	if (text[i] == "return" || text[i] == "goto")
		rule = "return"
	else if (arguments_of(i, end))
		rule = "call"
	# The last one of a function is not early.
	if (rule == "call" || (rule && column_of[end + 1] > 1 && line_of[end + 1] > 0 &&
			       within[line_of[end] + 1] != "")) {
		site++
		put(rule, line_of[i], line_of[end], "(void)0;")
	}
	mutate_order(i, end)
}

# ---- Constants with a name, which are felt where it stands ----

function mutate_define(l,    name, value, first, i, lines)
{
	name = code[l]
	if (name !~ /^#define [A-Za-z_0-9]+[ \t]+[^ \t]/ || name ~ /\\$/)
		return
	sub(/^#define /, "", name)
	value = name
	sub(/[ \t].*/, "", name)
	for (i = 1; i <= tokens; i++)
		if (text[i] == name)
			lines = lines (lines ? "," : "") line_of[i] "-" line_of[i]
	if (lines == "")
		return
	felt = lines
	first = tokens + 1
	scan(l)
	for (i = first + 3; i <= tokens; i++)
		if (text[i] ~ /^[0-9]/)
			mutate_number(i)
	tokens = first - 1
	felt = ""
}

END {
	scan_bodies()
	pair()
	for (i = 1; i <= tokens; i++) {
		if (hidden[i])
			continue
		mutate_token(i)
		if (text[i] ~ /^(if|while)$/ && text[i + 1] == "(")
			mutate_condition(i)
		if (begins_statement(i))
			mutate_statement(i)
	}
	for (l = 1; l <= NR; l++)
		mutate_define(l)
}
