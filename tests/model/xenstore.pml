/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node of Xen's store that is followed (drivers/xen/xenstore_node.c): the toolstack changes it at
 * any moment, xenstored's events and answers come late, and the interrupts that tell of them may be
 * lost. docs/protocol.md tells which part is which function.
 *
 * -DFAULT_x plants a fault; see check.sh.
 */
#define VALUES 3

/* xenstored: the value, whether it is watched, and whether the watch has fired. */
byte value;
bool watched, fired;

/* The ring: an event, a request, its answer; and the interrupt for the domain. */
bool event, asked, answered, interrupt;
byte answer;

/* The client. */
byte node;
bool known, stale;

bool toolstack_done;

/* ---- The store's task ---- */

/* Once a second it looks without having been interrupted. */
#ifdef FAULT_NO_LOOK
#define LOOKS interrupt
#else
#define LOOKS (interrupt || event || answered)
#endif

inline ask()
{
	/* One at a time: which one an answer is for is no question. */
	assert(!asked && !answered);
	asked = true
}

inline take_event()
{
	if
#ifdef FAULT_EVENT_WHILE_READING
	:: event -> event = false; stale = !asked
#else
	:: event -> event = false; stale = true
#endif
	:: else
	fi
}

inline take_answer()
{
	if
	:: answered ->
		node = answer;
		known = true;
		answered = false;
		asked = false;
#ifdef FAULT_CLEARED_LATE
		stale = false
#endif
	:: else
	fi
}

inline read_again()
{
	if
#ifdef FAULT_ASKED_TWICE
	:: stale && known ->
#else
	:: stale && known && !asked ->
#endif
		ask();
#ifndef FAULT_CLEARED_LATE
		stale = false
#endif
	:: else
	fi
}

active proctype store_task()
{
	/* xenstore_follow(): the watch, which fires at once, and then the first reading. */
	atomic {
#ifndef FAULT_WATCHED_LATE
		watched = true;
		fired = true;
#endif
		ask()
	}
end:
	do
	/* A message that comes is looked at after those before it, and so is the next one. */
	:: atomic {
		LOOKS ->
		interrupt = false;
		if
		:: true -> take_event(); take_answer()
		:: true -> take_answer(); take_event()
		fi;
#ifdef FAULT_WATCHED_LATE
		watched = watched || known;
#endif
		read_again()
	   }
	od
}

/* ---- xenstored, and the toolstack ---- */

inline raise()
{
	if
	:: interrupt = true
	:: true /* lost */
	fi
}

active proctype xenstored()
{
end:
	do
	:: atomic { fired && !event -> fired = false; event = true; raise() }
	:: atomic { asked && !answered -> answer = value; answered = true; raise() }
	od
}

active proctype toolstack()
{
	do
	:: atomic { value = (value + 1) % VALUES; fired = fired || watched }
	:: toolstack_done = true; break
	od
}

#ifdef LIVENESS
/* With -f an execution that comes to rest would not count as one that goes on. */
active proctype rest()
{
	do
	:: atomic { true -> skip }
	od
}

/* Once the toolstack leaves it alone, the copy has the value that the node has. */
ltl value_is_known { [] (toolstack_done -> <> [] (known && node == value)) }
#endif
