package guard

import (
	"net"
	"strings"
)

// Loopback tells whether a host as it is written is this machine: an address, or
// a name that is reserved for it. What a name server says of another does not count.
func Loopback(host string) bool {
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
