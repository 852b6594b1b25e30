// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/netfilter.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/background.h"

#define REPLY_MAX 32768

int netfilter_open(struct netfilter *nf, struct err *e)
{
	int on = 1;

	if (nf->sock)
		return 0;
	nf->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nf->sock)
		return err_sys(e, "open a netfilter netlink socket");
	if (mnl_socket_bind(nf->sock, 0, MNL_SOCKET_AUTOPID)) {
		int r = err_sys(e, "bind a netfilter netlink socket");

		netfilter_close(nf);
		return r;
	}
	/* each an addition: older kernels do without */
	mnl_socket_setsockopt(nf->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nf->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	nf->port = mnl_socket_get_portid(nf->sock);
	return 0;
}

int netfilter_ask(struct netfilter *nf, const struct nlmsghdr *request,
		  mnl_cb_t reply, void *arg)
{
	char buffer[REPLY_MAX];
	int r = netfilter_open(nf, NULL);

	if (r)
		return r;
	if (mnl_socket_sendto(nf->sock, request, request->nlmsg_len) < 0)
		return -errno;
	r = MNL_CB_OK;
	while (r > MNL_CB_STOP) {
		ssize_t len =
			mnl_socket_recvfrom(nf->sock, buffer, sizeof(buffer));

		if (len < 0)
			return -errno;
		if (((struct nlmsghdr *)buffer)->nlmsg_seq != nf->seq)
			continue; /* the rest of an answer that was given up */
		r = mnl_cb_run(buffer, (size_t)len, nf->seq, nf->port, reply,
			       arg);
		if (r < 0)
			return -errno;
	}
	return 0;
}

void netfilter_close(struct netfilter *nf)
{
	int fd;

	if (!nf->sock)
		return;
	fd = nf->closes_late ? dup(mnl_socket_get_fd(nf->sock)) : -1;
	if (fd >= 0)
		background_close(fd);
	mnl_socket_close(nf->sock);
	nf->sock = NULL;
}
