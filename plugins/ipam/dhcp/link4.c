// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/link4.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "ipam/dhcp/message4.h"
#include "kernel/background.h"

#define TTL	      64
#define CHADDR_OFFSET (sizeof(struct udphdr) + 28)

/* --- opening --------------------------------------------------------------- */

/* udp, the first fragment, to the client's port, and about this client. The
 * packet begins with its IP header. */
static int attach_filter(int fd, const uint8_t mac[static MAC_LEN],
			 struct err *e)
{
	uint32_t high;
	uint16_t low;
	memcpy(&high, mac, sizeof(high));
	memcpy(&low, mac + sizeof(high), sizeof(low));
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 9),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IP_OFFMASK | IP_MF, 7, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP4_CLIENT_PORT, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, CHADDR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32toh(high), 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, CHADDR_OFFSET + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be16toh(low), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)))
		return err_sys(e, "filter a packet socket");
	return 0;
}

/* It hears nothing before it has its filter and its interface. */
int link4_open(const struct netns *ns, const struct link *iface,
	       const uint8_t mac[static MAC_LEN], struct link4 *ret,
	       struct err *e)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htobe16(ETH_P_IP),
				  .sll_ifindex = iface->index };
	_close_ int fd = -1;
	const int on = 1;
	int r = netns_open_socket(ns, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				  &fd, e);

	if (!r)
		r = attach_filter(fd, mac, e);
	if (r)
		return r;
	/* tells of checksums that are left to hardware there is none of */
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return err_sys(e, "bind a packet socket to \"%s\"",
			       iface->name);
	*ret = (struct link4){ .is_open = true,
			       .fd = steal_fd(&fd),
			       .ifindex = iface->index };
	return 0;
}

static struct sockaddr_in udp_address(const struct ip_addr *addr, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htobe16(port) };

	memcpy(&sa.sin_addr, addr->bytes, sizeof(sa.sin_addr));
	return sa;
}

int link4_open_udp(const struct netns *ns, const struct link *iface,
		   const struct ip_addr *address, struct link4 *ret,
		   struct err *e)
{
	struct sockaddr_in at = udp_address(address, DHCP4_CLIENT_PORT);
	_close_ int fd = -1;
	const int on = 1;
	int r = netns_open_socket(ns, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				  &fd, e);

	if (r)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, iface->name,
		       (socklen_t)strlen(iface->name)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return err_sys(e, "bind a UDP socket to \"%s\"", iface->name);
	*ret = (struct link4){ .is_open = true,
			       .fd = steal_fd(&fd),
			       .is_udp = true,
			       .ifindex = iface->index };
	return 0;
}

/* --- the headers ----------------------------------------------------------- */

struct headers {
	struct iphdr ip;
	struct udphdr udp;
};

_Static_assert(sizeof(struct headers) == 28, "as on the wire");

/* The Internet checksum (RFC 1071) of @len bytes, added to @sum. */
static uint32_t add_up(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return len ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Of the UDP datagram of @len bytes behind @ip, with its pseudo header. */
static uint16_t udp_checksum(const struct iphdr *ip, const void *udp,
			     size_t len)
{
	uint32_t sum = add_up(&ip->saddr, 8, IPPROTO_UDP + (uint32_t)len);

	return fold(add_up(udp, len, sum));
}

static void fill_headers(const struct dhcp_packet *packet,
			 const struct ip_addr *from, struct headers *h)
{
	const size_t udp_len = sizeof(h->udp) + packet->len;

	*h = (struct headers){
		.ip = { .version = 4,
			.ihl = sizeof(h->ip) / 4,
			.tot_len = htobe16((uint16_t)(sizeof(h->ip) + udp_len)),
			.frag_off = htobe16(IP_DF),
			.ttl = TTL,
			.protocol = IPPROTO_UDP,
			.daddr = INADDR_BROADCAST },
		.udp = { .source = htobe16(DHCP4_CLIENT_PORT),
			 .dest = htobe16(DHCP4_SERVER_PORT),
			 .len = htobe16((uint16_t)udp_len) },
	};
	if (from->family)
		memcpy(&h->ip.saddr, from->bytes, 4);
	if (packet->unicast)
		memcpy(&h->ip.daddr, packet->to.bytes, 4);
	h->ip.check = htobe16(fold(add_up(&h->ip, sizeof(h->ip), 0)));
}

static int send_raw(const struct link4 *link, const struct dhcp_packet *packet,
		    const struct ip_addr *from, const uint8_t *via)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htobe16(ETH_P_IP),
				  .sll_ifindex = link->ifindex,
				  .sll_halen = MAC_LEN };
	struct {
		struct headers head;
		uint8_t data[DHCP_PACKET_MAX];
	} frame;
	const size_t len = sizeof(frame.head) + packet->len;
	uint16_t check;

	if (via)
		memcpy(to.sll_addr, via, MAC_LEN);
	else
		memset(to.sll_addr, 0xff, MAC_LEN);
	fill_headers(packet, from, &frame.head);
	memcpy(frame.data, packet->data, packet->len);
	check = udp_checksum(&frame.head.ip, (uint8_t *)&frame.head.udp,
			     sizeof(frame.head.udp) + packet->len);
	frame.head.udp.check = htobe16(check ? check : 0xffff); /* RFC 768 */
	return sendto(link->fd, &frame, len, 0, (struct sockaddr *)&to,
		      sizeof(to)) < 0
		       ? -errno
		       : 0;
}

static int send_udp(const struct link4 *link, const struct dhcp_packet *packet)
{
	struct sockaddr_in to = udp_address(&packet->to, DHCP4_SERVER_PORT);

	return sendto(link->fd, packet->data, packet->len, 0,
		      (struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}

int link4_send(const struct link4 *link, const struct dhcp_packet *packet,
	       const struct ip_addr *from, const uint8_t *via, struct err *e)
{
	int r = link->is_udp ? send_udp(link, packet)
			     : send_raw(link, packet, from, via);

	return r ? err_set(e, ERR_IO, -r, "send to the DHCP server: %s",
			   strerror(-r))
		 : 0;
}

/* --- receiving ------------------------------------------------------------- */

/* Whether the sender left the checksum to hardware, as a veth's peer does. */
static bool lacks_checksum(struct msghdr *msg)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA &&
		    c->cmsg_len >= CMSG_LEN(sizeof(aux))) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			return aux.tp_status & TP_STATUS_CSUMNOTREADY;
		}
	return false;
}

/* The length of the datagram in the IP packet of @len bytes, and where it
 * begins; 0 when it is not whole. */
static size_t unwrap(const uint8_t *packet, size_t len, bool without_checksum,
		     size_t *ret_offset)
{
	struct iphdr ip;
	struct udphdr udp;
	size_t head, total, udp_len;

	if (len < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	head = (size_t)ip.ihl * 4;
	total = be16toh(ip.tot_len);
	if (ip.version != 4 || head < sizeof(ip) || total > len ||
	    total < head + sizeof(udp) || ip.protocol != IPPROTO_UDP)
		return 0;
	memcpy(&udp, packet + head, sizeof(udp));
	udp_len = be16toh(udp.len);
	if (udp_len < sizeof(udp) || udp_len > total - head ||
	    udp.dest != htobe16(DHCP4_CLIENT_PORT))
		return 0;
	if (udp.check && !without_checksum &&
	    udp_checksum(&ip, packet + head, udp_len))
		return 0;
	*ret_offset = head + sizeof(udp);
	return udp_len - sizeof(udp);
}

ssize_t link4_receive(const struct link4 *link, uint8_t buf[static 2048],
		      uint8_t from[static MAC_LEN], bool *ret_has_from)
{
	struct sockaddr_ll peer = { 0 };
	struct iovec iov = { buf, 2048 };
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct msghdr msg = { .msg_name = &peer,
			      .msg_namelen = sizeof(peer),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(link->fd, &msg, 0);
	size_t offset = 0, len;

	*ret_has_from = false;
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : 0;
	if (msg.msg_flags & MSG_TRUNC)
		return 0;
	if (link->is_udp)
		return n;
	len = unwrap(buf, (size_t)n, lacks_checksum(&msg), &offset);
	memmove(buf, buf + offset, len);
	if (peer.sll_halen == MAC_LEN) {
		memcpy(from, peer.sll_addr, MAC_LEN);
		*ret_has_from = true;
	}
	return (ssize_t)len;
}

/* The last reference to a packet socket takes the kernel 8 to 20 ms to let go
 * of (synchronize_net), which a child can wait for. */
void link4_close(struct link4 *link)
{
	if (!link->is_open)
		return;
	if (link->is_udp)
		close(link->fd);
	else
		background_close(link->fd);
	link->is_open = false;
}
