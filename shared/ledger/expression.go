package ledger

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// An expression collects an update with its names and values. Every name goes
// through a placeholder, as half of ours are DynamoDB's reserved words.
type expression struct {
	names             map[string]string
	values            item
	sets, adds, drops []string
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: item{}}
}

func (x *expression) name(attr string) string {
	x.names["#"+attr] = attr
	return "#" + attr
}

func (x *expression) value(v types.AttributeValue) string {
	p := ":" + strconv.Itoa(len(x.values))
	x.values[p] = v
	return p
}

func (x *expression) set(attr string, v types.AttributeValue) {
	x.sets = append(x.sets, x.name(attr)+" = "+x.value(v))
}

// setOnce keeps what the item has: the first arrival says what the event is.
func (x *expression) setOnce(attr string, v types.AttributeValue) {
	n := x.name(attr)
	x.sets = append(x.sets, n+" = if_not_exists("+n+", "+x.value(v)+")")
}

func (x *expression) setTextOnce(attr, s string) {
	if s != "" {
		x.setOnce(attr, text(s))
	}
}

func (x *expression) add(attr string, v types.AttributeValue) {
	x.adds = append(x.adds, x.name(attr)+" "+x.value(v))
}

func (x *expression) remove(attr string) { x.drops = append(x.drops, x.name(attr)) }

func (x *expression) update() string {
	var parts []string
	for _, p := range []struct {
		word  string
		parts []string
	}{{"SET ", x.sets}, {"ADD ", x.adds}, {"REMOVE ", x.drops}} {
		if len(p.parts) > 0 {
			parts = append(parts, p.word+strings.Join(p.parts, ", "))
		}
	}
	return strings.Join(parts, " ")
}
