package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"pushpull/shared/config"
)

// networks is the scheme ip: who calls from one of them.
type networks []netip.Prefix

func newNetworks(auth config.Auth) (scheme, error) {
	var list networks
	var errs []error
	for _, text := range auth.CIDRs {
		network, err := netip.ParsePrefix(text)
		if one, e := netip.ParseAddr(text); err != nil && e == nil {
			network, err = netip.PrefixFrom(one, one.BitLen()), nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cidrs: %q is no network: write it as 192.0.2.0/24", text))
		}
		list = append(list, network.Masked())
	}
	if len(list) == 0 {
		errs = append(errs, errors.New("cidrs are absent: list the provider's networks, such as 192.0.2.0/24"))
	}
	return list, errors.Join(errs...)
}

func (a networks) readsBody() bool    { return false }
func (a networks) covers(string) bool { return true }

func (a networks) verify(_ context.Context, _ Credentials, v *view, _ time.Time) error {
	caller, err := netip.ParseAddr(v.r.SourceIP)
	if err != nil {
		return fmt.Errorf("%w: the caller's address is not known", ErrMissing)
	}
	caller = caller.Unmap().WithZone("")
	if slices.ContainsFunc(a, func(n netip.Prefix) bool { return n.Contains(caller) }) {
		return nil
	}
	return fmt.Errorf("%w: the caller's address is of none of the networks", ErrSignature)
}

func (a networks) sign(_ Credentials, r *Request, _ signing) error {
	r.SourceIP = a[0].Addr().String()
	return nil
}

// A certificate is the scheme mtls: who showed a certificate that the gateway
// found good, with that subject.
type certificate struct{ subject *regexp.Regexp }

func newCertificate(auth config.Auth) (scheme, error) {
	if auth.Subject == "" {
		return nil, errors.New("subject is absent: say whose certificate it must be, such as CN=webhooks\\.example\\.com,.*")
	}
	subject, err := wholeMatch(auth.Subject)
	if err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	return certificate{subject}, nil
}

// wholeMatch compiles a regular expression that must match the whole text.
func wholeMatch(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression: %w", text, err)
	}
	return re, nil
}

func (c certificate) readsBody() bool    { return false }
func (c certificate) covers(string) bool { return true }

func (c certificate) verify(_ context.Context, _ Credentials, v *view, _ time.Time) error {
	switch {
	case v.r.Subject == "":
		return fmt.Errorf("%w: the caller showed no certificate", ErrMissing)
	case !c.subject.MatchString(v.r.Subject):
		return fmt.Errorf("%w: the caller's certificate is another's", ErrSignature)
	}
	return nil
}

func (c certificate) sign(Credentials, *Request, signing) error {
	return errors.New("a client certificate cannot be shown to a gateway that asks for none")
}
