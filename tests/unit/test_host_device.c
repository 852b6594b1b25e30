// SPDX-License-Identifier: GPL-2.0-or-later
/* Which device host-device's configuration means, and what PCI device an interface
 * is of. */
#include "unit.h"

#include "interface/host_device/conf.h"
#include "interface/host_device/sysfs.h"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static int load(const char *text, struct device_conf *ret, struct err *e)
{
	cJSON *doc = parse_json(text);
	struct cni_conf conf = { .doc = doc };
	struct cni_call call = { .conf = &conf, .arena = &arena };

	assert_int_equal(json_keep(&arena, doc, NULL), 0);
	return device_conf_load(&call, ret, e);
}

static void assert_means(const char *text, const char *words)
{
	struct device_conf conf;
	struct err e;

	if (load(text, &conf, &e))
		fail_msg("%s: %s", text, e.msg);
	assert_string_equal(device_words(&conf, &arena), words);
}

static void test_the_first_of_several_counts(void **state)
{
	(void)state;
	assert_means("{}", "");
	assert_means("{\"device\":\"\",\"hwaddr\":null}", "");
	assert_means("{\"device\":\"eth1\",\"hwaddr\":\"02:00:00:00:00:01\","
		     "\"kernelpath\":\"/sys/devices/a\",\"pciBusID\":\"b\"}",
		     "device \"eth1\"");
	assert_means("{\"hwaddr\":\"02:00:00:00:00:01\","
		     "\"kernelpath\":\"/sys/devices/a\",\"pciBusID\":\"b\"}",
		     "hwaddr \"02:00:00:00:00:01\"");
	assert_means("{\"kernelpath\":\"/sys/devices/a\",\"pciBusID\":\"b\"}",
		     "kernelpath \"/sys/devices/a\"");
	assert_means("{\"PCIBUSID\":\"b\"}", "pciBusID \"b\"");
	assert_means("{\"device\":\"eth1\",\"DPDKMode\":true}",
		     "device \"eth1\"");
}

static void test_a_mac_in_either_notation(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 0xab };
	struct device_conf conf;

	(void)state;
	assert_int_equal(
		load("{\"hwaddr\":\"02-00-00-00-00-AB\"}", &conf, NULL), 0);
	assert_memory_equal(conf.mac, mac, sizeof(mac));
}

static void assert_refused(const char *text, const char *words)
{
	struct device_conf conf;
	struct err e = { 0 };

	assert_true(load(text, &conf, &e) < 0);
	if (!strstr(e.msg, words))
		fail_msg("%s: %s", text, e.msg);
	assert_int_equal(e.code, ERR_CONFIG);
}

static void test_nothing_leads_out_of_its_directory(void **state)
{
	(void)state;
	assert_refused("{\"pciBusID\":\"../x\"}", "\"pciBusID\": \"../x\"");
	assert_refused("{\"pciBusID\":\"..\"}", "\"pciBusID\": \"..\"");
	assert_refused("{\"pciBusID\":\"a/b\"}", "\"pciBusID\": \"a/b\"");
	assert_refused("{\"runtimeConfig\":{\"deviceID\":\"a/b\"}}",
		       "\"runtimeConfig.deviceID\": \"a/b\"");
	assert_refused("{\"runtimeConfig\":{\"deviceID\":\"no-such\"}}",
		       "runtime config DeviceID no-such not found");
	assert_refused("{\"kernelpath\":\"/sys/devicesx\"}", "/sys/devicesx");
	assert_refused("{\"kernelpath\":\"/sys/devices/a/..\"}", "without");
	assert_refused("{\"kernelpath\":\"/sys/devices/../b\"}", "without");
	assert_refused("{\"hwaddr\":\"x\"}", "\"hwaddr\": \"x\"");
	assert_means("{\"kernelpath\":\"/sys/devices/a..b/..c\"}",
		     "kernelpath \"/sys/devices/a..b/..c\"");
}

static void assert_pci(const char *path, const char *id)
{
	const char *found = sysfs_pci_of_path(path, &arena);

	if (id)
		assert_string_equal(found ? found : "none", id);
	else
		assert_null(found);
}

static void test_the_pci_device_of_a_path(void **state)
{
	(void)state;
	assert_pci("/sys/devices/pci0000:3c/0000:3c:00.0/0000:3d:00.1",
		   "0000:3d:00.1");
	assert_pci("/sys/devices/pci0000:00/0000:00:03.0/virtio2",
		   "0000:00:03.0");
	assert_pci("/sys/devices/pci10000:00/10000:01:1f.7", "10000:01:1f.7");
	assert_pci("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0",
		   NULL);
	assert_pci("/sys/devices/platform/eth.0", NULL);
	assert_pci("/sys/devices/virtio2", NULL);
	assert_pci("/sys/devices/0000:3d:00.", NULL);
	assert_pci("/sys/devices/0000:3d:00.12", NULL);
	assert_pci("/sys/devices/000:3d:00.1", NULL);
	assert_pci("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_the_first_of_several_counts,
					  release),
		cmocka_unit_test_teardown(test_a_mac_in_either_notation,
					  release),
		cmocka_unit_test_teardown(
			test_nothing_leads_out_of_its_directory, release),
		cmocka_unit_test_teardown(test_the_pci_device_of_a_path,
					  release),
	};

	return RUN(tests);
}
