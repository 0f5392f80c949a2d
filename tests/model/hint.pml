/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hinting queue (virtio 1.3, 5.5.6.5) as drivers/balloon/port/virtio_balloon_hint.c drives
 * it: a host that starts rounds, in mid-round too, stops them and ends them; a
 * device that returns buffers out of order and is reset; a guest that runs short
 * of memory. docs/protocol.md tells which part is which function.
 *
 * A set of blocks is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define BLOCKS 3
#define ALL 7
#define HINTS 2    /* buffers of a block each that can be with the device */
#define ID 2       /* buffers 2 and 3 are the commands */
#define STOP 3
#define LAST_ID 4  /* ids 2, 3, 4: as many rounds */

#define HINT_STOP 0 /* what the id says if it is no round's */
#define HINT_DONE 1

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1))
#define LOWEST(m) ((m) & -(m))

mtype = { IDLE, BEGIN, ROUND, END };

/* Who has each block. What is in buffers is in-flight. */
byte free = ALL, app, hinted;
byte anew;     /* of `hinted`: what earlier rounds hinted, and this one has not yet */
byte block[HINTS];
bool sent[4], used[4];

byte lent; /* the truth: blocks that a buffer with the device names */
byte fresh; /* likewise: those that were named in a buffer since the id was sent */

/* Between host, device and driver. */
byte config_id = HINT_STOP;
bool config_changed, needs_reset;
byte id_wire;  /* what the buffer of the id holds */

/* The driver. */
mtype state = IDLE;
byte id;       /* of the round */
byte rounds;   /* ids that were sent, as a mask */
bool told;     /* an id was sent, and no STOP after it */
bool release, again;

bool host_done, app_done;

#define IN_FLIGHT ((sent[0] -> block[0] : 0) | (sent[1] -> block[1] : 0))
#define BUSY (sent[0] || sent[1] || sent[ID] || sent[STOP])
#define ANSWERED (used[0] || used[1] || used[ID] || used[STOP])

/* Each block has one owner, and what the guest uses is in no buffer. */
inline check()
{
	assert((free | app | hinted | IN_FLIGHT) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(hinted) + COUNT(IN_FLIGHT) == BLOCKS);
	assert((app & lent) == 0)
}

inline reclaim()
{
	free = free | hinted;
	hinted = 0;
	anew = 0;
	fresh = fresh & IN_FLIGHT
#ifdef FAULT_IN_FLIGHT_RECLAIMED
	; free = free | IN_FLIGHT;
	block[0] = 0;
	block[1] = 0
#endif
}

inline finish(i)
{
	if
	:: i < HINTS -> hinted = hinted | block[i]; block[i] = 0
	:: else
	fi;
	sent[i] = false;
	used[i] = false
}

inline take_finished()
{
	if :: used[0] -> finish(0) :: else fi;
	if :: used[1] -> finish(1) :: else fi;
	if :: used[ID] -> finish(ID) :: else fi;
	if :: used[STOP] -> finish(STOP) :: else fi
}

/* What was hinted under which id matters no more. */
inline leave_round()
{
	anew = 0;
	fresh = 0
}

inline read_id()
{
	if
	:: config_id == HINT_DONE -> release = true; leave_round(); state = IDLE
	:: config_id == HINT_STOP ->
		if
		:: state == ROUND -> leave_round(); state = END
#ifdef FAULT_STOP_OF_NOTHING
		:: state == BEGIN -> state = END
#elif !defined(FAULT_ID_NOT_WITHDRAWN)
		:: state == BEGIN -> state = IDLE
#endif
		:: else
		fi
#ifdef FAULT_ID_TAKEN_TWICE
	:: config_id > HINT_DONE ->
#else
	:: config_id > HINT_DONE && config_id != id ->
#endif
		id = config_id;
		leave_round();
		state = BEGIN
	:: else
	fi
}

/* First what is to be hinted anew, and was not freed in between. */
inline send_block(i)
{
	if
	:: anew ->
		block[i] = LOWEST(anew);
		anew = anew & ~block[i];
		hinted = hinted & ~block[i]
	:: else ->
		block[i] = LOWEST(free);
		free = free & ~block[i]
	fi;
	lent = lent | block[i];
	fresh = fresh | block[i];
	sent[i] = true;
	again = true;
	/* A block is hinted under the id that was sent, while the host still has it. */
	assert(id_wire == id && config_id == id)
}

inline go_on()
{
	if
	:: state == IDLE
	:: state == BEGIN && BUSY
	:: state == BEGIN && !BUSY ->
		/* The device reads the buffer when it likes: it must be ours. */
		assert(!sent[ID]);
		/* All of it is to be hinted under this id, too. */
#ifndef FAULT_NOT_HINTED_ANEW
		anew = hinted;
#endif
		/* It is the current id, not one that the host has taken back. */
		assert(config_id == id);
		/* Each id once. */
		assert((rounds & (1 << id)) == 0);
		rounds = rounds | (1 << id);
		id_wire = id;
		told = true;
		sent[ID] = true;
		again = true;
		state = ROUND
	:: state == ROUND ->
		if :: (free || anew) && !sent[0] -> send_block(0) :: else fi;
		if :: (free || anew) && !sent[1] -> send_block(1) :: else fi;
		if
		:: !again && (!sent[0] || !sent[1]) ->
			/* A round that we end has hinted all that earlier ones did. */
			assert(!(hinted & ~fresh));
			leave_round();
			again = true;
			state = END
		:: else
		fi
	:: state == END && sent[STOP]
	:: state == END && !sent[STOP] ->
#ifndef FAULT_NO_STOP
		/*
		 * STOP names no id: it ends the round whose id went before it. What the
		 * config has then is that id, if there are no more blocks, or the host's STOP.
		 */
		assert(told && (config_id == id || config_id == HINT_STOP));
		told = false;
		sent[STOP] = true;
		again = true;
#endif
		state = IDLE
	fi
}

inline stop_queue()
{
	free = free | hinted;
	hinted = 0;
	leave_round();
#ifndef FAULT_FORGOTTEN_ON_RESET
	free = free | IN_FLIGHT;
#endif
	block[0] = 0; block[1] = 0;
	sent[0] = false; sent[1] = false; sent[ID] = false; sent[STOP] = false;
	used[0] = false; used[1] = false; used[ID] = false; used[STOP] = false;
	state = IDLE;
	release = false
}

active proctype balloon_task()
{
end:
	do
	:: atomic {
		again || ANSWERED || config_changed ->
		again = false;
		if
		:: config_changed && needs_reset ->
			config_changed = false;
			needs_reset = false;
			lent = 0;
			stop_queue();
			id = 0;
			rounds = 0;
			told = false;
			again = true
		:: else ->
			if :: config_changed -> config_changed = false; read_id() :: else fi;
			take_finished();
			if
#ifdef FAULT_RELEASED_BEFORE_BACK
			:: release ->
				free = free | IN_FLIGHT;
				block[0] = 0;
				block[1] = 0;
#else
			:: release && !BUSY ->
#endif
				reclaim();
				release = false
			:: else
			fi;
			if :: !release -> go_on() :: else fi
		fi;
		check()
	   }
	od
}

/* A guest that runs short takes the hinted blocks first: they are only lent. */
active proctype application()
{
	do
	:: atomic { free -> app = app | LOWEST(free); free = free & (free - 1); check() }
	:: atomic { !free -> reclaim(); check() }
	:: atomic { app -> free = free | LOWEST(app); app = app & (app - 1) }
	:: app_done = true; break
	od
}

inline answer(i)
{
	used[i] = true;
	if
	:: i < HINTS -> lent = lent & ~block[i]
	:: else
	fi
}

active proctype device()
{
	bool was_reset;

end:
	do
	:: atomic { sent[0] && !used[0] && !needs_reset -> answer(0) }
	:: atomic { sent[1] && !used[1] && !needs_reset -> answer(1) }
	:: atomic { sent[ID] && !used[ID] && !needs_reset -> answer(ID) }
	:: atomic { sent[STOP] && !used[STOP] && !needs_reset -> answer(STOP) }
	:: atomic {
		!was_reset && !host_done ->
		was_reset = true;
		needs_reset = true;
		config_changed = true
	   }
	od
}

/* As QEMU: each round has a new id; STOP and DONE at any time. */
active proctype host()
{
	byte next = HINT_DONE + 1;

	do
	:: atomic { next <= LAST_ID -> config_id = next; next++; config_changed = true }
	:: atomic { config_id = HINT_STOP; config_changed = true }
	/* Something else of the config changed: the id is read again. */
	:: config_changed = true
	:: atomic { config_id = HINT_DONE; config_changed = true }
	:: atomic { host_done = true; break }
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

/*
 * Once all are quiet the round ends, no buffer stays with the device for ever,
 * and after DONE all is back. If it was not the host that ended the round, the
 * driver did with STOP (5.5.6.5.1).
 */
#define SETTLED (host_done && app_done)
#define QUIET (!sent[0] && !sent[1] && !sent[ID] && !sent[STOP] && state == IDLE)
#define STOPPED (config_id <= HINT_DONE || !told)
#define ENDED (QUIET && STOPPED && (config_id != HINT_DONE || hinted == 0))

ltl round_ends { [] (SETTLED -> <> [] ENDED) }
#endif
