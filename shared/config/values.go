package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is written as Go writes it, with days besides: 90s, 15m, 12h, 30d.
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes whole days as days, and no empty units: 5m rather than 5m0s.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseDuration reads a duration that may be in days.
func ParseDuration(s string) (Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("%q is not a duration: write 30d, 12h, 15m or 90s", s)
		}
		return Duration(time.Duration(n) * 24 * time.Hour), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration: write 30d, 12h, 15m or 90s", s)
	}
	return Duration(d), nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 30d, 12h, 15m or 90s.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = v
	return err
}

// Secrets are references to secrets (ssm:, secretsmanager:, env:), never values.
// In YAML a single text may stand instead of a list.
type Secrets []string

// UnmarshalJSON takes one text or a list.
func (s *Secrets) UnmarshalJSON(b []byte) error { return oneOrMany((*[]string)(s), b) }

// Names are names of sources or destinations. In YAML a single text may stand
// instead of a list.
type Names []string

// UnmarshalJSON takes one text or a list.
func (n *Names) UnmarshalJSON(b []byte) error { return oneOrMany((*[]string)(n), b) }

// Paths lead to values in data: .customer.email, .items[].name. In YAML a single
// text may stand instead of a list.
type Paths []string

// UnmarshalJSON takes one text or a list.
func (p *Paths) UnmarshalJSON(b []byte) error { return oneOrMany((*[]string)(p), b) }

func oneOrMany(to *[]string, b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*to = []string{""}
		return json.Unmarshal(b, &(*to)[0])
	}
	return json.Unmarshal(b, to)
}

// ParseShare reads a share of a limit, in whole percent: 10%.
func ParseShare(s string) (float64, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	if err != nil || !strings.HasSuffix(s, "%") || n < 0 || n > 100 {
		return 0, fmt.Errorf("%q is not a share: write 10%%", s)
	}
	return float64(n) / 100, nil
}
