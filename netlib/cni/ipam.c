// SPDX-License-Identifier: GPL-2.0-or-later
#include "cni/ipam.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/exec.h"

bool cni_has_ipam(const struct cni_conf *conf)
{
	return conf->ipam_type && *conf->ipam_type;
}

/* The built-in plugin when the file at @path is the one we run from. */
static const struct cni_plugin *find_built_in(const struct cni_call *call,
					      const char *path)
{
	struct stat own, other;

	if (stat("/proc/self/exe", &own) || stat(path, &other) ||
	    own.st_dev != other.st_dev || own.st_ino != other.st_ino)
		return NULL;
	for (const struct cni_plugin *const *p = call->plugins; *p; p++)
		if ((*p)->is_ipam && !strcmp((*p)->name, call->conf->ipam_type))
			return *p;
	return NULL;
}

static int execute(const struct cni_call *call, enum cni_command command,
		   const char *path, char **output, size_t *len, struct err *e)
{
	const struct cni_env_setting setting = { "CNI_COMMAND",
						 cni_command_name(command) };
	char **env = cni_env_with(call->env, &setting, 1, call->arena);

	if (!env)
		return err_oom(e);
	return cni_exec(path, env, call->conf->text, call->conf->text_len,
			output, len, e);
}

static int execute_add(const struct cni_call *call, const char *path,
		       struct cni_result *ret, struct err *e)
{
	_free_ char *output = NULL;
	const char *type = call->conf->ipam_type;
	cJSON *doc = NULL;
	size_t len = 0;
	int r = execute(call, CNI_ADD, path, &output, &len, e);

	if (r)
		return r;
	r = cni_parse_output(output, len, &doc, e);
	if (!r)
		r = json_keep(call->arena, doc, e);
	if (!r)
		r = cni_result_decode(doc, call->conf->version, call->arena,
				      ret, e);
	if (r)
		err_wrap(e, "result of IPAM plugin \"%s\"", type);
	return r;
}

/* Where the IPAM plugin is, and which of ours it is, if any. An ipam.type that
 * names the plugin itself would call itself for ever. */
static int find(const struct cni_call *call, char path[static PATH_MAX],
		const struct cni_plugin **ret_built_in, struct err *e)
{
	const char *type = call->conf->ipam_type;
	int r;

	if (!strcmp(type, call->conf->type))
		return err_set(e, ERR_CONFIG, EINVAL,
			       "\"ipam.type\": \"%s\" is the plugin itself",
			       type);
	r = cni_find_plugin(type, call->args->path, path, e);
	if (!r)
		*ret_built_in = find_built_in(call, path);
	return r;
}

int cni_ipam_add(const struct cni_call *call, struct cni_result *ret,
		 struct err *e)
{
	const struct cni_plugin *built_in = NULL;
	char path[PATH_MAX];
	int r;

	if (!cni_has_ipam(call->conf))
		return 0;
	r = find(call, path, &built_in, e);
	if (r)
		return r;
	if (built_in)
		return built_in->add(call, ret, e);
	r = execute_add(call, path, ret, e);
	if (r) /* SPEC.md, section 4: a failed ADD is followed by a DEL */
		cni_ipam_call(call, CNI_DEL, NULL);
	return r;
}

static int call_built_in(const struct cni_plugin *plugin,
			 const struct cni_call *call, enum cni_command command,
			 struct err *e)
{
	struct cni_args args = *call->args;
	struct cni_call inner = *call;
	int (*serve)(const struct cni_call *, struct err *) = plugin->del;

	args.command = command;
	inner.args = &args;
	if (command == CNI_CHECK)
		serve = plugin->check;
	else if (command == CNI_GC)
		serve = plugin->gc;
	else if (command == CNI_STATUS)
		serve = plugin->status;
	return serve ? serve(&inner, e) : 0;
}

int cni_ipam_call(const struct cni_call *call, enum cni_command command,
		  struct err *e)
{
	const struct cni_plugin *built_in = NULL;
	_free_ char *output = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	int r;

	if (!cni_has_ipam(call->conf))
		return 0;
	r = find(call, path, &built_in, e);
	if (r)
		return r;
	return built_in ? call_built_in(built_in, call, command, e)
			: execute(call, command, path, &output, &len, e);
}

int cni_ipam_add_addresses(const struct cni_call *call, struct cni_result *ret,
			   struct err *e)
{
	int r = cni_ipam_add(call, ret, e);

	if (r || !cni_has_ipam(call->conf) || ret->ips.n)
		return r;
	cni_ipam_call(call, CNI_DEL, NULL);
	return err_set(e, ERR_CONFIG, EINVAL,
		       "IPAM plugin returned missing IP config");
}

bool cni_ipam_uses_interface(const struct cni_conf *conf)
{
	return cni_has_ipam(conf) && !strcmp(conf->ipam_type, "dhcp");
}

int cni_ipam_call_before(const struct cni_call *call, enum cni_command command,
			 struct err *e)
{
	if (!cni_ipam_uses_interface(call->conf))
		return 0;
	return cni_ipam_call(call, command, e);
}

int cni_ipam_call_after(const struct cni_call *call, enum cni_command command,
			struct err *e)
{
	if (cni_ipam_uses_interface(call->conf))
		return 0;
	return cni_ipam_call(call, command, e);
}

/* Returns the first of what has failed; @all has the words of each. */
static int keep(int first, int r, struct err *one, struct err *all)
{
	if (r)
		err_join(all, one);
	*one = (struct err){ 0 };
	return first ? first : r;
}

int cni_ipam_take_down(const struct cni_call *call, enum cni_command command,
		       const struct cni_take_down *own, struct err *e)
{
	struct err one = { 0 }, all = { 0 };
	int first = cni_ipam_call_before(call, command, &one), r = 0;

	first = keep(0, first, &one, &all);
	if (own->interface)
		r = own->interface(call, own->arg, &one);
	first = keep(first, r, &one, &all);
	if (!r && own->rest)
		first = keep(first, own->rest(call, own->arg, &one), &one,
			     &all);
	if (!r)
		first = keep(first, cni_ipam_call_after(call, command, &one),
			     &one, &all);
	if (first && e)
		*e = all;
	return first;
}
