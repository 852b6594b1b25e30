// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "cni/conflist.h"

#define BRIDGE "\"plugins\": [{\"type\": \"bridge\"}]"

struct loaded {
	struct arena arena;
	struct cni_list list;
	struct err e;
	int r;
};

static struct loaded load(const char *dir, const char *name)
{
	struct loaded l = { 0 };

	l.r = cni_list_load(dir, name, &l.arena, &l.list, &l.e);
	return l;
}

static void assert_loaded(const struct loaded *l)
{
	if (l->r)
		fail_msg("%s", l->e.msg);
}

/* The only file of @dir holds @text; how is the network "n" loaded? */
static struct loaded load_text(const char *dir, const char *text)
{
	put_file(PATH(dir, "n.conflist"), text);
	return load(dir, "n");
}

static void assert_type(const struct loaded *l, size_t i, const char *type)
{
	assert_true(i < l->list.plugins.n);
	assert_string_equal(cni_list_plugin_type(l->list.plugins.v[i]), type);
}

static void test_list(void **state)
{
	const char *text = "{\"cniVersion\": \"1.0.0\", \"name\": \"n\","
			   "\"disableCheck\": true, " BRIDGE "}";
	struct loaded l = load_text(*state, text);

	assert_loaded(&l);
	assert_string_equal(l.list.name, "n");
	assert_string_equal(l.list.version, "1.0.0");
	assert_string_equal(l.list.text, text);
	assert_true(l.list.disable_check);
	assert_false(l.list.disable_gc);
	assert_int_equal(l.list.plugins.n, 1);
	assert_type(&l, 0, "bridge");
	arena_done(&l.arena);
}

static void test_strings_are_booleans(void **state)
{
	struct loaded l =
		load_text(*state, "{\"name\": \"n\", \"disableGC\": \"TRUE\","
				  "\"disableCheck\": \"False\", " BRIDGE "}");

	assert_loaded(&l);
	assert_true(l.list.disable_gc);
	assert_false(l.list.disable_check);
	arena_done(&l.arena);

	l = load_text(*state,
		      "{\"name\": \"n\", \"disableGC\": \"yes\", " BRIDGE "}");
	assert_int_equal(l.r, -EINVAL);
	assert_non_null(strstr(l.e.msg, "\"disableGC\" is not true or false"));
	assert_non_null(strstr(l.e.msg, "n.conflist"));
	arena_done(&l.arena);
}

static void test_newest_version_we_speak(void **state)
{
	static const struct {
		const char *keys, *version;
	} cases[] = {
		{ "", "0.1.0" },
		{ "\"cniVersion\": \"0.4.0\",", "0.4.0" },
		{ "\"cniVersion\": \"9.0.0\",", "9.0.0" },
		{ "\"cniVersions\": [\"0.4.0\", \"1.1.0\", \"1.0.0\"],",
		  "1.1.0" },
		{ "\"cniVersions\": [\"0.4.0\", \"2.0.0\"],", "0.4.0" },
		{ "\"cniVersions\": [\"0.3.1\"], \"cniVersion\": \"1.0.0\",",
		  "1.0.0" },
		{ "\"cniVersions\": [\"1.0.0\"], \"cniVersion\": \"9.0.0\",",
		  "1.0.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];
		struct loaded l;

		snprintf(text, sizeof(text), "{%s \"name\": \"n\", " BRIDGE "}",
			 cases[i].keys);
		l = load_text(*state, text);
		assert_loaded(&l);
		assert_string_equal(l.list.version, cases[i].version);
		arena_done(&l.arena);
	}
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{\"name\": \"n\", \"plugins\": []}", "no plugins in list" },
		{ "{\"name\": \"n\", \"loadOnlyInlinedPlugins\": true}",
		  "no plugins in list" },
		{ "{\"name\": \"n\", \"plugins\": [{}]}", "missing 'type'" },
		{ "{\"name\": \"n\", \"plugins\": [null]}", "missing 'type'" },
		{ "{\"name\": \"n\", \"plugins\": {}}", "is not a list" },
		{ "{\"name\": \"n\", \"cniVersion\": \"x\", " BRIDGE "}",
		  "\"x\" is not a version" },
		{ "{" BRIDGE "}", "no network \"n\"" },
		{ "{\"name\": \"n\"", "not JSON" },
		{ "", "unexpected end of JSON input" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loaded l = load_text(*state, cases[i].text);

		assert_true(l.r < 0);
		if (!strstr(l.e.msg, cases[i].why))
			fail_msg("%s: %s", cases[i].text, l.e.msg);
		arena_done(&l.arena);
	}
}

static void test_single_plugin_is_a_list_of_one(void **state)
{
	struct loaded l;
	cJSON *list;

	put_file(PATH(*state, "a.json"),
		 "{\"name\": \"n\", \"cniVersion\": \"0.3.1\","
		 "\"type\": \"ptp\", \"mtu\": 1400}");
	l = load(*state, "n");
	assert_loaded(&l);
	assert_string_equal(l.list.version, "0.3.1");
	assert_type(&l, 0, "ptp");
	list = parse_json(l.list.text);
	assert_int_equal(cJSON_GetArraySize(json_get(list, "plugins")), 1);
	cJSON_Delete(list);
	arena_done(&l.arena);
}

static void test_lists_come_before_single_plugins(void **state)
{
	struct loaded l;

	put_file(PATH(*state, "a.conf"),
		 "{\"name\": \"n\", \"type\": \"ptp\"}");
	put_file(PATH(*state, "b.conflist"), "{\"name\": \"n\", " BRIDGE "}");
	l = load(*state, "n");
	assert_loaded(&l);
	assert_type(&l, 0, "bridge");
	arena_done(&l.arena);
}

static void test_plugin_files_are_appended(void **state)
{
	struct loaded l;

	mkdir(PATH(*state, "n"), 0700);
	put_file(PATH(*state, "n/20.conf"), "{\"type\": \"tuning\"}");
	put_file(PATH(*state, "n/10.conf"), "{\"type\": \"portmap\"}");
	put_file(PATH(*state, "n/30.json"), "{\"type\": \"vrf\"}");
	l = load_text(*state, "{\"name\": \"n\", " BRIDGE "}");
	assert_loaded(&l);
	assert_int_equal(l.list.plugins.n, 3);
	assert_type(&l, 0, "bridge");
	assert_type(&l, 1, "portmap");
	assert_type(&l, 2, "tuning");
	arena_done(&l.arena);

	l = load_text(*state, "{\"name\": \"n\"}");
	assert_loaded(&l);
	assert_int_equal(l.list.plugins.n, 2);
	arena_done(&l.arena);

	l = load_text(*state, "{\"name\": \"n\", " BRIDGE ","
			      "\"loadOnlyInlinedPlugins\": \"true\"}");
	assert_loaded(&l);
	assert_int_equal(l.list.plugins.n, 1);
	arena_done(&l.arena);
}

static void test_broken_file_hinders_no_other_network(void **state)
{
	struct loaded l;

	put_file(PATH(*state, "00.conflist"), "{ broken");
	put_file(PATH(*state, "10.conflist"),
		 "{\"name\": \"other\", \"plugins\": 3}");
	l = load_text(*state, "{\"name\": \"n\", " BRIDGE "}");
	assert_loaded(&l);
	arena_done(&l.arena);

	l = load(*state, "missing");
	assert_int_equal(l.r, -ENOENT);
	assert_int_equal(l.e.code, ERR_CONFIG);
	assert_non_null(strstr(l.e.msg, "no network \"missing\""));
	assert_non_null(strstr(l.e.msg, "00.conflist"));
	arena_done(&l.arena);
}

static void test_path_of_a_file(void **state)
{
	struct loaded l;

	put_file(PATH(*state, "x"), "{\"name\": \"n\", " BRIDGE "}");
	l = load("/nonexistent", PATH(*state, "x"));
	assert_loaded(&l);
	assert_string_equal(l.list.name, "n");
	arena_done(&l.arena);

	l = load("/nonexistent", PATH(*state, "y"));
	assert_int_equal(l.r, -ENOENT);
	assert_non_null(strstr(l.e.msg, PATH(*state, "y")));
	arena_done(&l.arena);
}

static void test_text_of_a_list(void **state)
{
	struct loaded file, l = { 0 };

	assert_int_equal(mkdir(PATH(*state, "n"), 0700), 0);
	put_file(PATH(*state, "n/1.conf"), "{\"type\": \"tuning\"}");
	file = load_text(*state, "{\"name\": \"n\", " BRIDGE "}");
	l.r = cni_list_parse(*state, file.list.text, &l.arena, &l.list, &l.e);
	arena_done(&file.arena);
	assert_loaded(&l);
	assert_string_equal(l.list.name, "n");
	assert_type(&l, 0, "bridge");
	assert_type(&l, 1, "tuning");
	arena_done(&l.arena);

	l.r = cni_list_parse(*state, "{}", &l.arena, &l.list, &l.e);
	assert_int_equal(l.r, -EINVAL);
	arena_done(&l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_list),
		IN_DIR(test_strings_are_booleans),
		IN_DIR(test_newest_version_we_speak),
		IN_DIR(test_what_is_refused),
		IN_DIR(test_single_plugin_is_a_list_of_one),
		IN_DIR(test_lists_come_before_single_plugins),
		IN_DIR(test_plugin_files_are_appended),
		IN_DIR(test_broken_file_hinders_no_other_network),
		IN_DIR(test_path_of_a_file),
		IN_DIR(test_text_of_a_list),
	};

	return RUN(tests);
}
