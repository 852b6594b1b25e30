// SPDX-License-Identifier: GPL-2.0-or-later
/* Delegation: in process when the file found is the running program itself,
 * which a hard link to it shows, and executed when it is any other. */
#include "unit.h"

#include "cni/ipam.h"

static unsigned served;

static int built_in_add(const struct cni_call *call, struct cni_result *ret,
			struct err *e)
{
	(void)e;
	served |= 1U << CNI_ADD;
	cni_result_add_ip(ret, call->arena)->address = prefix("10.0.0.2/24");
	return 0;
}

static int built_in_note(const struct cni_call *call, struct err *e)
{
	(void)e;
	served |= 1U << call->args->command;
	return 0;
}

static const struct cni_plugin built_in = { .name = "own",
					    .is_ipam = true,
					    .add = built_in_add,
					    .del = built_in_note,
					    .check = built_in_note,
					    .status = built_in_note };
static const struct cni_plugin other = { .name = "meta" };
static const struct cni_plugin *const plugins[] = { &other, &built_in, NULL };

static struct arena arena;

/* A call of plugin "bridge" with ipam.type @type and CNI_PATH @dir. */
struct fixture {
	struct cni_args args;
	struct cni_conf conf;
	struct cni_call call;
};

static char *const env[] = { "PATH=/usr/bin:/bin", "CNI_COMMAND=ADD", NULL };

static void prepare(struct fixture *f, const char *type, const char *dir)
{
	*f = (struct fixture){
		.args = { .command = CNI_ADD, .path = dir },
		.conf = { .text = "{\"a\":1}",
			  .text_len = 7,
			  .version = "1.0.0",
			  .type = "bridge",
			  .ipam_type = type },
		.call = { .args = &f->args,
			  .conf = &f->conf,
			  .env = env,
			  .plugins = plugins,
			  .arena = &arena },
	};
	served = 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	return dir_teardown(state);
}

static void put_plugin(const char *path, const char *body)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	put_file(path, text);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A name for the running program; one link will do where it is elsewhere. */
static void link_self(const char *path)
{
	char self[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(symlink(self, path), 0);
}

static void test_our_own_file_is_called_in_process(void **state)
{
	struct cni_result res = { 0 };
	struct fixture f;
	struct err e;

	link_self(PATH(*state, "own"));
	prepare(&f, "own", *state);
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), 0);
	assert_int_equal(res.ips.n, 1);
	assert_int_equal(cni_ipam_call(&f.call, CNI_DEL, &e), 0);
	assert_int_equal(cni_ipam_call(&f.call, CNI_CHECK, &e), 0);
	assert_int_equal(cni_ipam_call(&f.call, CNI_STATUS, &e), 0);
	assert_int_equal(cni_ipam_call(&f.call, CNI_GC, &e), 0); /* has none */
	assert_int_equal(served, 1U << CNI_ADD | 1U << CNI_DEL |
					 1U << CNI_CHECK | 1U << CNI_STATUS);
	assert_int_equal(f.args.command, CNI_ADD);
}

static void test_anothers_file_is_executed(void **state)
{
	struct cni_result res = { 0 };
	struct fixture f;
	struct err e;

	put_plugin(
		PATH(*state, "own"),
		"dir=${0%/*}; echo \"$CNI_COMMAND\" >>$dir/log; cat >>$dir/log\n"
		"echo '{\"ips\":[{\"address\":\"10.9.9.9/8\"}]}'");
	prepare(&f, "own", *state);
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), 0);
	assert_prefix(&res.ips.v[0].address, "10.9.9.9/8");
	assert_int_equal(cni_ipam_call(&f.call, CNI_DEL, &e), 0);
	assert_int_equal(served, 0);
	assert_file(PATH(*state, "log"), "ADD\n{\"a\":1}DEL\n{\"a\":1}");
}

static void test_what_it_may_print(void **state)
{
	struct cni_result res = { 0 };
	struct fixture f;
	struct err e;

	prepare(&f, "p", *state);
	put_plugin(PATH(*state, "p"), "echo ' null '");
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), 0);
	assert_int_equal(res.ips.n, 0);
	put_plugin(PATH(*state, "p"), "echo '{}'");
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), 0);
	assert_int_equal(res.ips.n, 0);
	put_plugin(PATH(*state, "p"), "echo nonsense");
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "result of IPAM plugin \"p\": "));
	put_plugin(PATH(*state, "p"),
		   "echo '{\"code\":102,\"msg\":\"full\"}'; exit 1");
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), -EREMOTEIO);
	assert_int_equal(e.code, 102);
	assert_string_equal(e.msg, "full");
}

static void test_without_ipam_nothing_happens(void **state)
{
	struct cni_result res = { 0 };
	struct fixture f;
	struct err e;

	prepare(&f, NULL, *state);
	assert_false(cni_has_ipam(&f.conf));
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), 0);
	prepare(&f, "", *state);
	assert_false(cni_has_ipam(&f.conf));
	assert_int_equal(cni_ipam_call(&f.call, CNI_DEL, &e), 0);
}

static void test_refuses_itself_and_what_is_not_there(void **state)
{
	struct cni_result res = { 0 };
	struct fixture f;
	struct err e;

	prepare(&f, "bridge", *state);
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), -EINVAL);
	assert_int_equal(e.code, ERR_CONFIG);
	prepare(&f, "none", *state);
	assert_int_equal(cni_ipam_add(&f.call, &res, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "failed to find plugin \"none\""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_our_own_file_is_called_in_process),
		TEST(test_anothers_file_is_executed),
		TEST(test_what_it_may_print),
		TEST(test_without_ipam_nothing_happens),
		TEST(test_refuses_itself_and_what_is_not_there),
	};

	return RUN(tests);
}
