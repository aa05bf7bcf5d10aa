package dynamodb

import (
	"math/big"
	"strconv"
	"strings"
)

// A number is sign × 0.digits × 10^exponent, with neither leading nor trailing
// zeros in digits: the one form of each value. Zero has no digits.
type number struct {
	negative bool
	digits   string
	exponent int
}

const (
	maxDigits   = 38
	maxExponent = 126  // 9.9…E+125 is 0.99…E+126
	minExponent = -129 // 1E-130 is 0.1E-129
)

// parseNumber reads a decimal number as AWS accepts it: no spaces, no hex, an
// optional fraction and exponent; 38 significant digits, 1E-130 to 9.9…E+125.
func parseNumber(s string) (number, error) {
	n := number{}
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	mantissa, exp, hasExp := cutExponent(rest)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return number{}, notANumber()
	}
	shift := 0
	if hasExp {
		var ok bool
		if shift, ok = parseExponent(exp); !ok {
			return number{}, notANumber()
		}
	}
	digits := whole + fraction
	trimmed := strings.TrimLeft(digits, "0")
	n.exponent = len(whole) + shift - (len(digits) - len(trimmed))
	n.digits = strings.TrimRight(trimmed, "0")
	return n.checked()
}

// checked refuses what is out of range, and gives zero its one form.
func (n number) checked() (number, error) {
	switch {
	case n.digits == "":
		return number{}, nil
	case len(n.digits) > maxDigits:
		return number{}, invalid("Attempting to store more than 38 significant digits in a Number")
	case n.exponent > maxExponent:
		return number{}, invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.exponent < minExponent:
		return number{}, invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return n, nil
}

func cutExponent(s string) (mantissa, exp string, found bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func notANumber() error {
	return invalid("The parameter cannot be converted to a numeric value")
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseExponent reads an exponent; one too long to matter is cut to a size
// that is surely out of range.
func parseExponent(s string) (int, bool) {
	digits := strings.TrimLeft(s, "+-")
	if digits == "" || len(s)-len(digits) > 1 || !allDigits(digits) {
		return 0, false
	}
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > 6 {
		digits = "1000000"
	}
	n, _ := strconv.Atoi("0" + digits)
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// String is the form in which DynamoDB gives the number back: plain decimal,
// never an exponent.
func (n number) String() string {
	if n.digits == "" {
		return "0"
	}
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.exponent <= 0:
		return sign + "0." + strings.Repeat("0", -n.exponent) + n.digits
	case n.exponent >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.exponent-len(n.digits))
	default:
		return sign + n.digits[:n.exponent] + "." + n.digits[n.exponent:]
	}
}

// canonicalNumber is the one text of a number; equal numbers have equal texts.
func canonicalNumber(s string) (string, error) {
	n, err := parseNumber(s)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

// compareNumbers orders two canonical numbers.
func compareNumbers(a, b string) int {
	x, errX := parseNumber(a)
	y, errY := parseNumber(b)
	if errX != nil || errY != nil {
		return strings.Compare(a, b) // never: both are canonical
	}
	return x.compare(y)
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

func (n number) compare(m number) int {
	if s, t := n.sign(), m.sign(); s != t || s == 0 {
		return s - t
	}
	magnitude := n.exponent - m.exponent
	if magnitude == 0 {
		magnitude = strings.Compare(n.digits, m.digits)
	}
	return magnitude * n.sign()
}

// scaled is the number as an integer times 10^unit.
func (n number) scaled(unit int) *big.Int {
	z := new(big.Int)
	if n.digits == "" {
		return z
	}
	z.SetString(n.digits+strings.Repeat("0", n.exponent-len(n.digits)-unit), 10)
	if n.negative {
		z.Neg(z)
	}
	return z
}

// addNumbers is a+b, or a-b, of canonical numbers, exactly: a sum that needs
// more than 38 digits is refused, as AWS does, not rounded.
func addNumbers(a, b string, subtract bool) (string, error) {
	x, err := parseNumber(a)
	if err != nil {
		return "", err
	}
	y, err := parseNumber(b)
	if err != nil {
		return "", err
	}
	unit := min(x.exponent-len(x.digits), y.exponent-len(y.digits))
	sum := x.scaled(unit)
	if subtract {
		sum.Sub(sum, y.scaled(unit))
	} else {
		sum.Add(sum, y.scaled(unit))
	}
	return fromScaled(sum, unit)
}

func fromScaled(z *big.Int, unit int) (string, error) {
	text := new(big.Int).Abs(z).String()
	n := number{negative: z.Sign() < 0, exponent: len(text) + unit, digits: strings.TrimRight(text, "0")}
	n, err := n.checked()
	if err != nil {
		return "", err
	}
	return n.String(), nil
}
