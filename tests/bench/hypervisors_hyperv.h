/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypervisors_hyperv.c: the benchmark's part about Hyper-V: how long its requests take, in how many
 * messages, how soon its bus is up, and how fast memory is named cold; and how soon there is a
 * prompt inside a hypervisor.
 */
#ifndef TESTS_BENCH_HYPERVISORS_HYPERV_H
#define TESTS_BENCH_HYPERVISORS_HYPERV_H

/* Measures all of it, so often, and prints it beside the goals. */
void hyperv_measure(unsigned rounds);

#endif
