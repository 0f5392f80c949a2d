/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A personality is what one hypervisor does for its guest: plain C, without a machine in it.
 * The machine is whoever calls it:
 *
 *	tests/hypervisor/	the small hypervisor inside QEMU, whose guest is the real image
 *	tests/sim/		host tests: the guest's drivers call it through their arch/ headers
 *
 * so that a lie told to the real image is told under the sanitizers, too. One personality is in
 * use at a time, and nothing here is called twice at once. What the guest says is input: a
 * personality never trusts it, and asserts nothing about it.
 */
#ifndef TESTS_HYPERVISOR_PERSONALITY_H
#define TESTS_HYPERVISOR_PERSONALITY_H

#include <stdbool.h>
#include <stdint.h>

/* The guest's general registers at an exit; RSP and RIP are the machine's business. */
struct guest_registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/* EAX to EDX of a leaf of CPUID. */
struct guest_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* ---- What a personality supplies ---- */

#define PERSONALITY_PORTS 4

/* What may be NULL is not there: the guest sees what it sees without a hypervisor. */
struct personality {
	const char *name; /* as HYPERVISOR= has it */
	/*
	 * The guest begins, or begins again after a reset: it has all of its frames but the spare
	 * ones, which the host has (machine_spare()).
	 */
	void (*start)(void);
	/* A leaf from 0x40000000 to 0x4000ffff; `out` is zeroed before. */
	void (*cpuid)(uint32_t leaf, struct guest_cpuid *out);
	/*
	 * `in eax, dx` by the guest from one of `ports`, whose unused places are 0: an answer goes
	 * into the registers. Returns false where nobody is: the machine goes on as without a
	 * hypervisor, as it does at any other access to these ports.
	 */
	uint16_t ports[PERSONALITY_PORTS];
	bool (*port_in)(uint16_t port, struct guest_registers *registers);
	/* MSRs from 0x40000000 to 0x4000ffff; false: there is none, and the guest has #GP. */
	bool (*msr_read)(uint32_t msr, uint64_t *value);
	bool (*msr_write)(uint32_t msr, uint64_t value);
	/* VMMCALL in 64-bit mode; false: the guest has #UD. */
	bool (*hypercall)(struct guest_registers *registers);
	/*
	 * Looks at what the test wants (control.h), and does what is due. After every exit, and
	 * when the test has rung.
	 */
	void (*work)(void);
	/*
	 * The guest touched a frame that the host has. When this returns, the machine puts
	 * zeros there, and the frame counts as touched; the host still has it, unless the
	 * personality gave it back.
	 */
	void (*touched)(uint64_t pfn);
};

extern const struct personality plain_personality, vmware_personality, hyperv_personality,
	xen_personality;

/* ---- What the machine offers to a personality ---- */

/*
 * Where so many bytes of the guest's RAM lie; NULL: not all of them are RAM, or the host has
 * some.
 */
void *machine_memory(uint64_t address, uint64_t size);

/*
 * Where so many bytes lie that the guest has mapped at a virtual address, by its own tables; NULL:
 * some of them are not mapped, or lie apart, or are where machine_memory() gives nothing.
 */
void *machine_virtual(uint64_t address, uint64_t size);

/*
 * Gives a page that the guest may touch and that is none of its RAM, full of zeros: *address is
 * where the guest finds it. Such pages are never given back, but for a reset.
 */
void *machine_shared_page(uint64_t *address);

/* Resets the machine. */
void machine_reset(void);

/* Tells whether all of these frames are RAM of the guest's, whoever has them now. */
bool machine_is_ram(uint64_t first, uint64_t count);

/* Frames of RAM, those that the host has among them, the spare ones not. */
uint64_t machine_ram_frames(void);

/*
 * RAM that is in no table of the guest's, for personalities that add memory to a running guest:
 * returns how many frames, and where they begin; 0: there are none. They are RAM to
 * machine_is_ram(), and the host has them at the start: to add some is host_frames_return().
 */
uint64_t machine_spare(uint64_t *first);

/*
 * Lets the guest's processor reach frames, or takes them out of its reach. host_frames.c
 * does, nobody else.
 */
void machine_show(uint64_t first, uint64_t count, bool present);

/*
 * Interrupts the guest, as soon as it can be; the same vector twice before that is one
 * interrupt.
 */
void machine_interrupt(uint8_t vector);

/* Time since the guest's start in units of 100 ns, and the rate of its time-stamp counter. */
uint64_t machine_time_100ns(void);
uint32_t machine_tsc_khz(void);

/*
 * Says, once, what the guest has done that no guest may do, as in "a frame was given twice".
 * Kept in hv_control.violation: tests look there.
 */
void machine_violate(const char *what);

#endif
