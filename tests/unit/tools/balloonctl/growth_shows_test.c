/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown of a guest that can grow, by status, watch, record, plot and export, as text,
 * picture and JSON: by fake pollers, so that a guest is what a test wrote down.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_pollers.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/watch_draw.h"

#define ALARM_S 60u /* for ever */
#define RAM (1024ull * MIB)

static char folder[32], csv[64], svg[64];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(csv, sizeof(csv), "%s/a.csv", folder);
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	alarm(ALARM_S);
	fake_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	alarm(0);
	unlink(csv);
	unlink(svg);
	return rmdir(folder);
}

static void assert_lacks(const char *text, const char *words)
{
	if (strstr(text, words))
		fail_msg("there is \"%s\" in\n%s", words, text);
}

/* A quarter of what the balloon counts is taken. */
static struct guest_state grown_state(uint64_t grown, uint64_t requested)
{
	return (struct guest_state){
		.ram = RAM + grown,
		.base = RAM,
		.left = RAM * 3 / 4 + grown,
		.taken = RAM / 4,
		.has_grown = true,
		.grown = grown,
		.requested = requested,
		.nr_devices = 1,
		.devices = { { .name = "m0",
			       .block = 2 * MIB,
			       .region = 4 * RAM,
			       .requested = requested,
			       .plugged = grown } },
	};
}

/* ---- status ---- */

static struct outcome status_of(const struct guest_state *guest)
{
	struct outcome json;

	fake.state = *guest;
	json = run_command("web", "status", "--json", NULL);
	assert_int_equal(json.status, EXIT_REACHED);
	assert_fits("balloonctl-status", json.out);
	return run_command("web", "status", NULL);
}

static void guest_that_cannot_grow_has_its_ram_only(void **state)
{
	const struct guest_state plain = { .ram = RAM, .base = RAM, .left = RAM };
	struct outcome got = status_of(&plain);

	(void)state;
	assert_says(got.out, "\nRAM          1.000 GiB\nTarget ");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"taken\":0,\"base\":1073741824,\"dimms\":0,\"paused\":false,");
	assert_lacks(got.out, "grown");
	assert_lacks(got.out, "requested");
	assert_lacks(got.out, "devices");
}

static void dimms_have_a_line(void **state)
{
	const struct guest_state dimms = {
		.ram = 3 * RAM, .base = RAM, .dimms = 2 * RAM, .left = 3 * RAM
	};
	struct outcome got = status_of(&dimms);

	(void)state;
	assert_says(got.out, "\nRAM          3.000 GiB\n"
			     "Base         1.000 GiB\n"
			     "DIMMs        2.000 GiB\n"
			     "Target ");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"base\":1073741824,\"dimms\":2147483648,\"paused\"");
}

static void what_has_grown_has_a_line_and_each_device(void **state)
{
	struct guest_state grown = grown_state(2 * RAM, 3 * RAM);
	struct outcome got;

	(void)state;
	strcpy(grown.devices[0].name, "m\x1b");
	grown.nr_devices = 2;
	grown.devices[1] = (struct guest_mem_device){ .name = "/machine/peripheral-anon/device[3]",
						      .block = MIB,
						      .region = 512 * MIB };
	got = status_of(&grown);
	assert_says(got.out, "\nRAM          3.000 GiB\n"
			     "Base         1.000 GiB\n"
			     "Grown        2.000 GiB plugged   3.000 GiB requested\n"
			     "  m\\x1b                              2.000 GiB plugged   3.000 "
			     "GiB requested   of 4.000 GiB by 2.000 MiB\n"
			     "  /machine/peripheral-anon/device[3]     0 B plugged       0 B "
			     "requested   of 512.0 MiB by 1.000 MiB\n"
			     "Target ");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"base\":1073741824,\"dimms\":0,\"grown\":2147483648,"
			     "\"requested\":3221225472,\"memory-devices\":[{\"id\":\"m\\u001b\","
			     "\"block\":2097152,\"region\":4294967296,\"requested\":3221225472,"
			     "\"plugged\":2147483648},{\"id\":\"/machine/");
}

static void device_without_a_driver_says_so(void **state)
{
	struct guest_state grown = grown_state(0, 3 * RAM);
	struct outcome got;

	(void)state;
	grown.devices[0].has_driver = true;
	got = status_of(&grown);
	assert_says(got.out, "\n  m0             0 B plugged   3.000 GiB requested   of 4.000 GiB "
			     "by 2.000 MiB   no driver\n");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"plugged\":0,\"driver\":false}]");
	grown.devices[0].driver_ok = true;
	assert_says(status_of(&grown).out, " by 2.000 MiB\n");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"plugged\":0,\"driver\":true}]");
	/* Nobody tells. */
	grown.devices[0].has_driver = false;
	assert_says(status_of(&grown).out, " by 2.000 MiB\n");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"plugged\":0}]");
}

static void devices_that_are_not_listed_are_counted(void **state)
{
	struct guest_state grown = grown_state(2 * RAM, 3 * RAM);
	struct outcome got;

	(void)state;
	grown.nr_unlisted = 2;
	got = status_of(&grown);
	assert_says(got.out,
		    " by 2.000 MiB\n  and 2 more, which balloonctl does not list\nTarget ");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "}],\"memory-devices-unlisted\":2,\"paused\"");
	grown.nr_unlisted = 0;
	assert_lacks(status_of(&grown).out, "more");
	got = run_command("web", "status", "--json", NULL);
	assert_lacks(got.out, "unlisted");
}

/* A device that has nothing plugged is there. */
static void nothing_is_an_amount(void **state)
{
	struct guest_state grown = grown_state(0, 0);
	struct outcome got = status_of(&grown);

	(void)state;
	assert_says(got.out, "\nGrown            0 B plugged       0 B requested\n");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"grown\":0,\"requested\":0,\"memory-devices\":[{\"id\":\"m0\",");
	/* All that was said of them made no sense: they are there, and nothing else is known. */
	grown.nr_devices = 0;
	got = status_of(&grown);
	assert_says(got.out, "\nGrown            0 B plugged       0 B requested\nTarget");
	got = run_command("web", "status", "--json", NULL);
	assert_says(got.out, "\"memory-devices\":[],");
}

/* ---- those that look again and again ---- */

/* The second look finds it plugged. */
static void look_twice(void)
{
	fake_add(0, 0)->state = grown_state(0, 2 * RAM);
	fake_add(0, 1000)->state = grown_state(2 * RAM, 2 * RAM);
}

static void next_look_sees_what_has_grown(void **state)
{
	struct outcome got;
	char *second;

	(void)state;
	look_twice();
	fake.slice_ms = 20;
	fake.stop_at = FAKE_BEGIN + 1500;
	got = run_command(NULL, "watch", "--json", "web", NULL);
	second = strchr(got.out, '\n');
	assert_non_null(second);
	*second++ = '\0';
	assert_says(got.out,
		    "\"ram\":1073741824,\"left\":805306368,\"taken\":268435456,"
		    "\"base\":1073741824,\"dimms\":0,\"grown\":0,\"requested\":2147483648,");
	assert_says(second, "\"ram\":3221225472,\"left\":2952790016,\"taken\":268435456,"
			    "\"base\":1073741824,\"dimms\":0,\"grown\":2147483648,"
			    "\"requested\":2147483648,\"memory-devices\":[{\"id\":\"m0\","
			    "\"block\":2097152,\"region\":4294967296,\"requested\":2147483648,"
			    "\"plugged\":2147483648}],\"paused\":false,");
	assert_fits("balloonctl-watch", got.out);
	assert_fits("balloonctl-watch", second);
}

static void export_has_what_grows_as_metrics_and_as_json(void **state)
{
	struct outcome got;

	(void)state;
	fake_add(0, 0)->state = grown_state(0, 2 * RAM);
	fake_add(1, 0);
	got = run_command(NULL, "export", "web", "db", NULL);
	assert_says(got.out, "\nballoon_base_bytes{guest=\"web\"} 1073741824\n"
			     "balloon_base_bytes{guest=\"db\"} 1000\n#");
	assert_says(got.out, "\nballoon_dimms_bytes{guest=\"web\"} 0\n"
			     "balloon_dimms_bytes{guest=\"db\"} 0\n#");
	assert_says(got.out, "\nballoon_grown_bytes{guest=\"web\"} 0\n#");
	assert_says(got.out, "\nballoon_requested_bytes{guest=\"web\"} 2147483648\n#");
	fake_begin();
	fake_add(0, 0)->state = grown_state(0, 2 * RAM);
	fake_add(1, 0);
	got = run_command(NULL, "export", "--json", "web", "db", NULL);
	assert_fits("balloonctl-export", got.out);
	assert_says(got.out, "\"grown\":0,\"requested\":2147483648,\"memory-devices\":[{");
	assert_says(got.out, "\"base\":1000,\"dimms\":0,\"paused\"");
}

/* ---- record, plot ---- */

static void read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void rows_tell_what_has_grown(void **state)
{
	struct outcome got;
	char text[2048];

	(void)state;
	look_twice();
	/* The device was taken out, and a DIMM came. */
	fake_add(0, 2000)->state =
		(struct guest_state){ .ram = 2 * RAM, .base = RAM, .dimms = RAM, .left = 2 * RAM };
	got = run_command("web", "record", csv, "--for", "3", "--json", NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	read_text(csv, text, sizeof(text));
	assert_says(text, ",host_cpu_s,base_bytes,dimms_bytes,grown_bytes,requested_bytes,guest\n");
	assert_says(text, "\n0.000,5000.000,1073741824,,805306368,268435456,,,,,,"
			  "1073741824,0,0,2147483648,web\n");
	assert_says(text, "\n1.000,5001.000,3221225472,,2952790016,268435456,,,,,,"
			  "1073741824,0,2147483648,2147483648,web\n");
	assert_says(text, "\n2.000,5002.000,2147483648,,2147483648,0,,,,,,"
			  "1073741824,1073741824,,,web\n");
	assert_fits("balloonctl-record", got.out);
	assert_says(got.out, "\"grown_bytes\":{\"first\":0,\"last\":2147483648,\"least\":0,"
			     "\"most\":2147483648,\"rows\":2}");
}

static struct outcome plot(const char *text)
{
	write_text(csv, text);
	return run_command(NULL, "plot", csv, "-o", "-", NULL);
}

static struct outcome plot_json(const char *text)
{
	struct outcome got;

	write_text(csv, text);
	got = run_command(NULL, "plot", csv, "-o", svg, "--json", NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_fits("balloonctl-plot", got.out);
	return got;
}

/*
 * RAM rises from look to look, as what is left does; what is requested is the top all the
 * time.
 */
static void picture_has_the_ram_of_a_guest_that_grows(void **state)
{
	static const char course[] = "time_s,ram_bytes,left_bytes,grown_bytes,requested_bytes\n"
				     "0,1073741824,0,0,1073741824\n"
				     "30,2147483648,0,1073741824,1073741824\n"
				     "60,2147483648,0,1073741824,1073741824\n";
	struct outcome got = plot(course);

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, ">RAM of the guest</text>");
	assert_says(got.out, ">RAM requested</text>");
	/* Half of the time; higher is less in the picture's own coordinates. */
	assert_says(got.out, "\" d=\"M82.0 264.0L429.0 144.0L776.0 144.0h1\"");
	assert_says(got.out,
		    "stroke-dasharray=\"7 6\" d=\"M82.0 144.0H429.0V144.0H776.0V144.0h1\"");
	got = plot_json(course);
	assert_says(got.out, "\"ram_bytes\":{\"first\":1073741824,\"last\":2147483648,");
	assert_says(got.out, "\"requested_bytes\":{\"first\":1073741824,");
	/* What has grown is no line of its own: it moves the RAM. */
	assert_lacks(got.out, "grown_bytes");
}

/* It would say nothing. */
static void ram_that_never_moves_is_no_line(void **state)
{
	struct outcome got = plot("time_s,ram_bytes,left_bytes\n0,9,1\n9,9,2\n");

	(void)state;
	assert_lacks(got.out, "RAM");
	got = plot_json("time_s,ram_bytes,left_bytes,base_bytes\n0,9,1,9\n9,9,2,9\n");
	assert_lacks(got.out, "ram_bytes");
	/* A DIMM came: it did. Nothing was requested of anybody. */
	got = plot("time_s,ram_bytes,left_bytes,dimms_bytes\n0,9,1,0\n9,10,2,1\n");
	assert_says(got.out, ">RAM of the guest</text>");
	assert_lacks(got.out, "RAM requested");
	/* It can grow, and did not. */
	got = plot("time_s,ram_bytes,left_bytes,grown_bytes,requested_bytes\n0,9,1,0,0\n"
		   "9,9,2,0,0\n");
	assert_says(got.out, ">RAM of the guest</text>");
	assert_says(got.out, ">RAM requested</text>");
}

/* Whatever a file says. */
static void odd_recordings_are_drawn_as_far_as_they_go(void **state)
{
	static const char *const odd[] = {
		/* Of what has grown, but not of what; of what is requested, but not of what is. */
		"time_s,left_bytes,grown_bytes\n0,1,1\n1,2,2\n",
		"time_s,left_bytes,requested_bytes\n0,1,1\n1,2,2\n",
		"time_s,ram_bytes,left_bytes,grown_bytes,requested_bytes\n0,1,1,,\n1,,2,5,\n"
		"2,,3,,5\n3,1,4,5,0\n",
		"time_s,ram_bytes,left_bytes,grown_bytes,requested_bytes\n"
		"0,1e308,1,0,1e308\n1,0,1,1e308,0\n2,1,2,1,1\n",
	};
	struct outcome got;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		got = plot(odd[i]);
		assert_int_equal(got.status, EXIT_REACHED);
		assert_says(got.out, "</svg>");
		assert_lacks(got.out, "nan");
		assert_lacks(got.out, "inf");
		plot_json(odd[i]);
	}
	got = plot("time_s,left_bytes,grown_bytes\n0,1,-1\n");
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "line 2: '-1' is no grown_bytes: a number from 0 on is wanted");
	got = plot("time_s,left_bytes,requested_bytes\n0,1,many\n");
	assert_int_equal(got.status, EXIT_WRONG);
}

/* ---- watch ---- */

static struct watch_view views[3];

static void see(size_t i, const char *name, int64_t ms, const struct guest_state *guest)
{
	struct watch_view *view = &views[i];

	view->name = name;
	view->sample.number++;
	view->sample.time = view->sample.seen = FAKE_BEGIN + ms;
	view->sample.state = *guest;
	history_add(&view->history, &view->sample);
}

static int begin_watch(void **state)
{
	(void)state;
	memset(views, 0, sizeof(views));
	return 0;
}

/* The screen, without the blanks at the end of each row. */
static const char *draw(size_t count, int rows, int columns, enum watch_sort sort)
{
	static char text[200 * 200];
	struct watch_screen screen = { .views = views,
				       .count = count,
				       .window = HISTORY_DEFAULT,
				       .now = views[0].sample.time,
				       .interval_ms = 1000,
				       .sort = sort };
	struct grid grid;
	char *to = text;

	assert_true(rows * (columns + 1) < (int)sizeof(text));
	assert_int_equal(grid_init(&grid, rows, columns, false), 0);
	watch_draw(&grid, &screen);
	for (int i = 0; i < rows; i++) {
		for (int j = 0; j < columns; j++)
			*to++ = (char)grid.cells[i * columns + j].character;
		while (to > text && to[-1] == ' ')
			to--;
		*to++ = '\n';
	}
	*to = '\0';
	grid_free(&grid);
	return text;
}

static const char *draw_one(uint64_t grown, uint64_t requested, int columns)
{
	const struct guest_state guest = grown_state(grown, requested);

	begin_watch(NULL);
	see(0, "web", 0, &guest);
	return draw(1, 12, columns, WATCH_BY_NAME);
}

/* Forty columns are the bar: of 4 GiB, each is a tenth of one. */
static void bar_ends_with_what_is_still_to_come(void **state)
{
	struct guest_state guest;

	(void)state;
	assert_says(draw_one(0, 3 * RAM, 44), "\n [########==~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~]\n");
	assert_says(draw_one(RAM, 3 * RAM, 44), "\n [##################==~~~~~~~~~~~~~~~~~~~~]\n");
	assert_says(draw_one(3 * RAM, 3 * RAM, 44),
		    "\n [######################################==]\n");
	/* It is to shrink: the guest still has it. */
	assert_says(draw_one(3 * RAM, RAM, 44), "\n [######################################==]\n");
	/* More than can be counted is drawn as far as that goes. */
	guest = (struct guest_state){ .ram = 1ull << 63,
				      .left = 1ull << 62,
				      .taken = 1ull << 62,
				      .has_grown = true,
				      .requested = 1ull << 63 };
	begin_watch(NULL);
	see(0, "web", 0, &guest);
	assert_says(draw(1, 12, 44, WATCH_BY_NAME),
		    "\n [##########==========~~~~~~~~~~~~~~~~~~~~]\n");
	guest = grown_state(RAM, 3 * RAM);
	/* The target is that of the whole RAM, and free memory may be anywhere in it. */
	guest.has_target = true;
	guest.target_left = 3 * RAM / 2;
	begin_watch(NULL);
	views[0].sample.has_stats = views[0].sample.stats.ever = true;
	views[0].sample.stats.present = 1u << STAT_FREE_MEMORY;
	views[0].sample.stats.value[STAT_FREE_MEMORY] = RAM;
	see(0, "web", 0, &guest);
	assert_says(draw(1, 12, 44, WATCH_BY_NAME),
		    "\n [########.......|..==~~~~~~~~~~~~~~~~~~~~]\n");
}

static void legend_explains_it_while_there_is_some(void **state)
{
	(void)state;
	assert_says(draw_one(0, RAM, 80),
		    "\n # used   . free   = taken   | target   ~ requested   ? keys   q quits\n");
	assert_says(draw_one(RAM, RAM, 80), "\n # used   . free   = taken   | target   ? keys");
	/* How to ask stands there in any case. */
	assert_says(draw_one(0, RAM, 50), "\n # used   . free   = taken   | target   ? keys\n");
}

static void words_say_how_far_it_has_grown(void **state)
{
	const struct guest_state plain = { .ram = RAM, .base = RAM, .left = RAM };

	(void)state;
	assert_says(draw_one(RAM, RAM, 80),
		    "\n left 1.750 GiB  taken 256.0 MiB  grown 1.000 GiB\n");
	assert_says(draw_one(RAM, 3 * RAM, 80),
		    "\n left 1.750 GiB  taken 256.0 MiB  grown 1.000 GiB of 3.000 GiB\n");
	assert_says(draw_one(3 * RAM, 0, 80), " grown 3.000 GiB of 0 B\n");
	assert_says(draw_one(0, 0, 80), " grown 0 B\n");
	begin_watch(NULL);
	see(0, "web", 0, &plain);
	assert_lacks(draw(1, 12, 80, WATCH_BY_NAME), "grown");
	/* Whole, or not at all; what comes after it keeps its distance. */
	for (int columns = 1; columns < 62; columns++)
		assert_lacks(draw_one(RAM, 3 * RAM, columns), "grown");
	assert_says(draw_one(RAM, 3 * RAM, 63), "grown 1.000 GiB of 3.000 GiB\n");
}

static void table_has_a_column_if_a_guest_can_grow(void **state)
{
	const struct guest_state plain = { .ram = RAM, .base = RAM, .left = RAM };
	const struct guest_state two = grown_state(2 * RAM, 2 * RAM), none = grown_state(0, 0);
	size_t order[] = { 0, 1, 2 };

	(void)state;
	see(0, "a", 0, &plain);
	see(1, "b", 0, &plain);
	see(2, "c", 0, &plain);
	assert_says(draw(3, 8, 120, WATCH_BY_NAME), "     TAKEN     TARGET  ");
	see(1, "b", 1000, &none);
	see(2, "c", 1000, &two);
	assert_says(draw(3, 8, 120, WATCH_BY_NAME),
		    "\n GUEST       LEFT      TAKEN      GROWN     TARGET       FREE       HOST  "
		    "   CPU    CHANGE/S\n"
		    ">a      1.000 GiB        0 B\n"
		    " b      768.0 MiB  256.0 MiB        0 B  ");
	assert_says(draw(3, 8, 120, WATCH_BY_NAME), "\n c      2.750 GiB  256.0 MiB  2.000 GiB  ");
	assert_lacks(draw(3, 8, 38, WATCH_BY_NAME), "GROWN");
	watch_sort(views, order, 3, WATCH_BY_GROWN, false);
	assert_true(order[0] == 2 && order[1] == 1 && order[2] == 0);
	watch_sort(views, order, 3, WATCH_BY_GROWN, true);
	assert_true(order[0] == 1 && order[1] == 2 && order[2] == 0);
}

/* The height is the most that it had, and a line shows what it had. */
static void course_has_a_line_for_ram_that_moved(void **state)
{
	const struct guest_state small = grown_state(0, 0), large = grown_state(RAM, RAM);
	const char *screen;

	(void)state;
	see(0, "web", 0, &small);
	screen = draw(1, 12, 66, WATCH_BY_NAME);
	assert_says(screen, "\n 1.000 GiB |\n");
	assert_lacks(screen, "^");
	see(0, "web", 10000, &large);
	screen = draw(1, 12, 66, WATCH_BY_NAME);
	assert_says(screen, "\n 2.000 GiB |                                                    ^\n"
			    "           |\n"
			    "           |\n"
			    "           |                                                  ^\n"
			    "           |\n"
			    " taken   0 |                                                  # #\n");
	assert_says(screen, "   | target   ^ RAM it had   ? keys");
	/* The height stays until the window is past it. */
	see(0, "web", 20000, &small);
	assert_says(draw(1, 12, 66, WATCH_BY_NAME), "\n 2.000 GiB |");
	see(0, "web", 10000 + 5 * 60000 + 1000, &small);
	screen = draw(1, 12, 66, WATCH_BY_NAME);
	assert_says(screen, "\n 1.000 GiB |\n");
	assert_lacks(screen, "^");
}

/* Nothing that is said breaks a screen of any size. */
static void no_amount_and_no_screen_goes_wrong(void **state)
{
	static const uint64_t odd[] = { 0, 1, RAM, INT64_MAX, UINT64_MAX };
	enum { ODD = sizeof(odd) / sizeof(odd[0]) };

	(void)state;
	for (unsigned i = 0; i < ODD * ODD * ODD; i++) {
		struct guest_state guest = { .ram = odd[i % ODD], .has_grown = true };
		int rows = 1 + (int)(i % 30), columns = 1 + (int)(i * 7 % 120);

		guest.left = guest.ram / 2;
		guest.taken = guest.ram - guest.left;
		guest.grown = odd[i / ODD % ODD];
		guest.requested = odd[i / ODD / ODD];
		begin_watch(NULL);
		for (size_t one = 0; one < 3; one++)
			see(one, "web", 0, &guest);
		for (size_t count = 1; count <= 3; count += 2)
			assert_int_equal(strlen(draw(count, rows, columns, WATCH_BY_GROWN)) > 0, 1);
	}
}

#define SHOWS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define WATCH_TEST(name) cmocka_unit_test_setup(name, begin_watch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHOWS_TEST(guest_that_cannot_grow_has_its_ram_only),
		SHOWS_TEST(dimms_have_a_line),
		SHOWS_TEST(what_has_grown_has_a_line_and_each_device),
		SHOWS_TEST(device_without_a_driver_says_so),
		SHOWS_TEST(devices_that_are_not_listed_are_counted),
		SHOWS_TEST(nothing_is_an_amount),
		SHOWS_TEST(next_look_sees_what_has_grown),
		SHOWS_TEST(export_has_what_grows_as_metrics_and_as_json),
		SHOWS_TEST(rows_tell_what_has_grown),
		SHOWS_TEST(picture_has_the_ram_of_a_guest_that_grows),
		SHOWS_TEST(ram_that_never_moves_is_no_line),
		SHOWS_TEST(odd_recordings_are_drawn_as_far_as_they_go),
		WATCH_TEST(bar_ends_with_what_is_still_to_come),
		WATCH_TEST(legend_explains_it_while_there_is_some),
		WATCH_TEST(words_say_how_far_it_has_grown),
		WATCH_TEST(table_has_a_column_if_a_guest_can_grow),
		WATCH_TEST(course_has_a_line_for_ram_that_moved),
		WATCH_TEST(no_amount_and_no_screen_goes_wrong),
	};

	return cmocka_run_group_tests_name("balloonctl/growth_shows", tests, NULL, NULL);
}
