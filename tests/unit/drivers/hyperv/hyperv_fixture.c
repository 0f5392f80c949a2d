/* SPDX-License-Identifier: BSD-2-Clause */
/* A Hyper-V that answers what it was told to; see hyperv_fixture.h. */
#include "tests/unit/drivers/hyperv/hyperv_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fake_hyperv fake_hyperv;

void fake_hyperv_reset(void)
{
	fake_hyperv = (struct fake_hyperv){
		.there = true,
		.cpuid = { .access_low = UINT32_MAX, .access_high = UINT32_MAX },
	};
}

/* Finds what was last written to an MSR; NULL: nothing was. */
static const uint64_t *find_msr(uint32_t msr)
{
	for (size_t i = fake_hyperv.write_count; i > 0; i--)
		if (fake_hyperv.writes[i - 1].msr == msr)
			return &fake_hyperv.writes[i - 1].value;
	return NULL;
}

uint64_t fake_hyperv_msr(uint32_t msr)
{
	const uint64_t *value = find_msr(msr);

	if (!value)
		fail_msg("nothing was written to MSR %#x", (unsigned)msr);
	return *value;
}

bool hyperv_is_there(void)
{
	return fake_hyperv.there;
}

const struct hyperv_cpuid *hyperv_cpuid(void)
{
	return &fake_hyperv.cpuid;
}

uint64_t hyperv_msr_read(uint32_t msr)
{
	const uint64_t *value = find_msr(msr);

	fake_hyperv.msr_reads++;
	if (msr == HV_MSR_VP_INDEX)
		return fake_hyperv.vp_index;
	assert_true(msr == HV_MSR_SCONTROL || msr == HV_MSR_SIEFP || msr == HV_MSR_SIMP ||
		    (msr >= HV_MSR_SINT0 && msr < HV_MSR_SINT0 + HV_SINT_COUNT));
	return value ? *value : fake_hyperv.msr_before;
}

void hyperv_msr_write(uint32_t msr, uint64_t value)
{
	assert_true(fake_hyperv.write_count < FAKE_HYPERV_WRITES);
	fake_hyperv.writes[fake_hyperv.write_count].msr = msr;
	fake_hyperv.writes[fake_hyperv.write_count++].value = value;
}

uint64_t hyperv_hypercall(uint64_t control, uint64_t input, uint64_t output)
{
	fake_hyperv.calls++;
	fake_hyperv.control = control;
	fake_hyperv.input = input;
	fake_hyperv.output = output;
	if (fake_hyperv.on_call)
		fake_hyperv.on_call();
	return fake_hyperv.result;
}
