/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID's leaves about rates (Intel SDM volume 2, CPUID, leaves 15H and 16H; VMware's
 * timing leaf, which KVM has, too; Xen's public/arch-x86/cpuid.h) and KVM's pvclock (Linux,
 * Documentation/virt/kvm/x86/msr.rst).
 */
#include "arch/x86_64/tsc_rate.h"

#include <stddef.h>

#include "arch/x86_64/hypervisor.h"
#include "arch/x86_64/vmware_cpuid.h"
#include "arch/x86_64/xen_cpuid.h"

#define LEAF_CRYSTAL 0x15
#define LEAF_NOMINAL 0x16

/* Counted from the first of a hypervisor's leaves. */
#define HYPERVISOR_FEATURES 0x01 /* of KVM */
#define HYPERVISOR_TIMING 0x10	 /* of VMware and KVM: kHz of TSC and of APIC timer */
#define KVM_FEATURE_CLOCKSOURCE2 (UINT32_C(1) << 3)

#define SIGNATURE_KVM "KVMKVMKVM\0\0"
#define SIGNATURE_TCG "TCGTCGTCGTCG"

#define GHZ UINT64_C(1000000000)
#define XEN_APIC_TIMER_HZ (GHZ / 10)

bool tsc_rate_is_sound(uint64_t hz)
{
	return hz >= TSC_HZ_MIN && hz <= TSC_HZ_MAX;
}

static struct tsc_rate rate_of(uint64_t hz, const char *from)
{
	return tsc_rate_is_sound(hz) ? (struct tsc_rate){ hz, from } : (struct tsc_rate){ 0 };
}

/* ---- The hypervisor's leaves ---- */

/* False if the hypervisor of this signature is not there, or has no timing leaf. */
static bool read_timing(cpuid_fn *cpuid, const char *signature, uint32_t out[CPUID_REGISTERS])
{
	uint32_t base = hypervisor_find(cpuid, signature);

	if (base == 0)
		return false;
	cpuid(base, out);
	if (out[CPUID_EAX] < base + HYPERVISOR_TIMING)
		return false;
	cpuid(base + HYPERVISOR_TIMING, out);
	return true;
}

static bool find_timing(cpuid_fn *cpuid, uint32_t out[CPUID_REGISTERS])
{
	return read_timing(cpuid, SIGNATURE_KVM, out) || read_timing(cpuid, VMWARE_SIGNATURE, out);
}

uint64_t tsc_rate_of_apic_timer(cpuid_fn *cpuid)
{
	uint32_t out[CPUID_REGISTERS];
	struct xen_cpuid xen;

	if (find_timing(cpuid, out) && tsc_rate_is_sound(out[CPUID_EBX] * UINT64_C(1000)))
		return out[CPUID_EBX] * UINT64_C(1000);
	if (hypervisor_find(cpuid, SIGNATURE_TCG) || hypervisor_find(cpuid, SIGNATURE_KVM))
		return GHZ;
	return xen_cpuid_find(cpuid, &xen) ? XEN_APIC_TIMER_HZ : 0;
}

/* ---- The rate ---- */

/* The counter runs at EBX / EAX of the crystal's rate, ECX in Hz. */
static uint64_t read_crystal(cpuid_fn *cpuid)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid(0, out);
	if (out[CPUID_EAX] < LEAF_CRYSTAL)
		return 0;
	cpuid(LEAF_CRYSTAL, out);
	if (out[CPUID_EAX] == 0)
		return 0;
	return (uint64_t)out[CPUID_ECX] * out[CPUID_EBX] / out[CPUID_EAX];
}

static struct tsc_rate read_hypervisor(cpuid_fn *cpuid)
{
	uint32_t out[CPUID_REGISTERS];
	struct xen_cpuid xen;

	if (find_timing(cpuid, out))
		return rate_of(out[CPUID_EAX] * UINT64_C(1000), "the hypervisor's CPUID leaf");
	if (xen_cpuid_find(cpuid, &xen))
		return rate_of(xen.tsc_khz * UINT64_C(1000), "Xen's CPUID leaf");
	return (struct tsc_rate){ 0 };
}

static bool has_pvclock(cpuid_fn *cpuid)
{
	uint32_t base = hypervisor_find(cpuid, SIGNATURE_KVM);
	uint32_t out[CPUID_REGISTERS];

	if (base == 0)
		return false;
	cpuid(base + HYPERVISOR_FEATURES, out);
	return out[CPUID_EAX] & KVM_FEATURE_CLOCKSOURCE2;
}

struct tsc_rate tsc_rate_told(cpuid_fn *cpuid, pvclock_fn *ask_pvclock)
{
	struct tsc_rate rate = read_hypervisor(cpuid);

	if (rate.hz == 0 && has_pvclock(cpuid))
		rate = ask_pvclock();
	if (rate.hz == 0)
		rate = rate_of(read_crystal(cpuid), "CPUID leaf 0x15");
	return rate;
}

struct tsc_rate tsc_rate_nominal(cpuid_fn *cpuid)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid(0, out);
	if (out[CPUID_EAX] < LEAF_NOMINAL)
		return (struct tsc_rate){ 0 };
	cpuid(LEAF_NOMINAL, out);
	return rate_of((out[CPUID_EAX] & 0xffff) * UINT64_C(1000000), "CPUID leaf 0x16");
}

struct tsc_rate tsc_rate_from_pvclock(const struct tsc_pvclock *pvclock)
{
	int shift = pvclock->tsc_shift;
	uint64_t hz;

	if (pvclock->tsc_to_system_mul == 0 || shift < -31 || shift > 31)
		return (struct tsc_rate){ 0 };
	/* ns = (counts << shift) * mul >> 32, and a negative shift is one to the right */
	hz = (GHZ << 32) / pvclock->tsc_to_system_mul;
	if (shift < 0)
		hz = hz > UINT64_MAX >> -shift ? 0 : hz << -shift;
	else
		hz >>= shift;
	return rate_of(hz, "KVM's pvclock");
}
