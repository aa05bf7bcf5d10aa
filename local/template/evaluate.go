package template

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// noValue is what AWS::NoValue evaluates to: the property is not there.
type noValue struct{}

// evaluator evaluates intrinsic functions.
type evaluator struct {
	options    Options
	root       *node
	parameters map[string]string
	conditions map[string]bool
	resources  map[string]resource
	visiting   map[string]bool // conditions under evaluation, to find circles
}

// resource is what Ref and GetAtt need of a resource.
type resource struct {
	ref        string
	attributes map[string]string
}

// value evaluates n to map[string]any, []any or a scalar.
func (e *evaluator) value(n *node) (any, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.list:
		return e.list(n)
	case n.fields == nil:
		return n.scalar, nil
	}
	if len(n.keys) == 1 {
		key := n.keys[0]
		if key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return e.call(key, n.fields[key])
		}
	}
	out := make(map[string]any, len(n.keys))
	for _, key := range n.keys {
		v, err := e.value(n.fields[key])
		if err != nil {
			return nil, err
		}
		if v != (noValue{}) {
			out[key] = v
		}
	}
	return out, nil
}

func (e *evaluator) list(n *node) ([]any, error) {
	out := make([]any, 0, len(n.items))
	for _, item := range n.items {
		v, err := e.value(item)
		if err != nil {
			return nil, err
		}
		if v != (noValue{}) {
			out = append(out, v)
		}
	}
	return out, nil
}

// text evaluates n and wants a scalar.
func (e *evaluator) text(n *node) (string, error) {
	v, err := e.value(n)
	if err != nil {
		return "", err
	}
	return scalarText(v, n)
}

func scalarText(v any, n *node) (string, error) {
	switch v.(type) {
	case map[string]any, []any, noValue:
		return "", fmt.Errorf("line %d: a single value belongs here", n.line)
	case nil:
		return "", nil
	}
	return fmt.Sprint(v), nil
}

func (e *evaluator) call(name string, arg *node) (any, error) {
	switch name {
	case "Ref":
		return e.ref(arg)
	case "Fn::GetAtt":
		return e.getAtt(arg)
	case "Fn::Sub":
		return e.sub(arg)
	case "Fn::Join":
		return e.join(arg)
	case "Fn::If":
		return e.ifThen(arg)
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or":
		return e.boolean(name, arg)
	}
	return nil, fmt.Errorf("line %d: %s is not understood here: use Ref, Fn::GetAtt, Fn::Sub, Fn::Join or Fn::If", arg.line, name)
}

func (e *evaluator) ref(arg *node) (any, error) {
	name, _ := arg.scalar.(string)
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if v, ok := e.name(name); ok {
		return v, nil
	}
	return nil, fmt.Errorf("line %d: !Ref %s: the template has no parameter and no resource of that name", arg.line, name)
}

// name looks a parameter, pseudo parameter or resource up.
func (e *evaluator) name(name string) (string, bool) {
	switch name {
	case "AWS::Region":
		return e.options.Region, true
	case "AWS::AccountId":
		return e.options.Account, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	case "AWS::StackName":
		return e.options.Stack, true
	case "AWS::StackId":
		return "arn:aws:cloudformation:" + e.options.Region + ":" + e.options.Account + ":stack/" + e.options.Stack + "/local", true
	}
	if v, ok := e.parameters[name]; ok {
		return v, true
	}
	r, ok := e.resources[name]
	return r.ref, ok
}

func (e *evaluator) getAtt(arg *node) (any, error) {
	var parts []string
	if s, ok := arg.scalar.(string); ok {
		parts = strings.SplitN(s, ".", 2)
	}
	for _, item := range arg.items {
		s, err := e.text(item)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("line %d: Fn::GetAtt takes a resource and an attribute, such as EventQueue.Arn", arg.line)
	}
	return e.attribute(parts[0], parts[1], arg.line)
}

func (e *evaluator) attribute(id, attribute string, line int) (string, error) {
	r, ok := e.resources[id]
	if !ok {
		return "", fmt.Errorf("line %d: !GetAtt %s.%s: the template has no resource %s", line, id, attribute, id)
	}
	v, ok := r.attributes[attribute]
	if !ok {
		return "", fmt.Errorf("line %d: !GetAtt %s.%s: this attribute is not known here", line, id, attribute)
	}
	return v, nil
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func (e *evaluator) sub(arg *node) (any, error) {
	text, _ := arg.scalar.(string)
	var extra *node
	if arg.list {
		if len(arg.items) != 2 {
			return nil, fmt.Errorf("line %d: Fn::Sub takes a text, or a text and a mapping", arg.line)
		}
		text, _ = arg.items[0].scalar.(string)
		extra = arg.items[1]
	}
	var failed error
	out := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		v, err := e.substitute(strings.TrimSpace(m[2:len(m)-1]), extra, arg.line)
		if err != nil && failed == nil {
			failed = err
		}
		return v
	})
	return out, failed
}

func (e *evaluator) substitute(name string, extra *node, line int) (string, error) {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}", nil
	}
	if n := extra.field(name); n != nil {
		return e.text(n)
	}
	if v, ok := e.name(name); ok {
		return v, nil
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return e.attribute(id, attribute, line)
	}
	return "", fmt.Errorf("line %d: !Sub ${%s}: the template has no parameter and no resource of that name", line, name)
}

func (e *evaluator) join(arg *node) (any, error) {
	if len(arg.items) != 2 {
		return nil, fmt.Errorf("line %d: Fn::Join takes a delimiter and a list", arg.line)
	}
	delimiter, err := e.text(arg.items[0])
	if err != nil {
		return nil, err
	}
	v, err := e.value(arg.items[1])
	if err != nil {
		return nil, err
	}
	values, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("line %d: Fn::Join takes a list", arg.line)
	}
	parts := make([]string, 0, len(values))
	for _, v := range values {
		s, err := scalarText(v, arg)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, delimiter), nil
}

func (e *evaluator) ifThen(arg *node) (any, error) {
	if len(arg.items) != 3 {
		return nil, fmt.Errorf("line %d: Fn::If takes a condition and two values", arg.line)
	}
	name, _ := arg.items[0].scalar.(string)
	yes, err := e.condition(name, arg.line)
	if err != nil {
		return nil, err
	}
	if yes {
		return e.value(arg.items[1])
	}
	return e.value(arg.items[2])
}

// condition evaluates a named condition once.
func (e *evaluator) condition(name string, line int) (bool, error) {
	if v, ok := e.conditions[name]; ok {
		return v, nil
	}
	n := e.root.field("Conditions").field(name)
	if n == nil {
		return false, fmt.Errorf("line %d: the template has no condition %s", line, name)
	}
	if e.visiting[name] {
		return false, fmt.Errorf("line %d: the condition %s leads back to itself", n.line, name)
	}
	e.visiting[name] = true
	defer delete(e.visiting, name)
	v, err := e.truth(n)
	if err != nil {
		return false, err
	}
	e.conditions[name] = v
	return v, nil
}

// truth evaluates a condition's expression.
func (e *evaluator) truth(n *node) (bool, error) {
	if c := n.field("Condition"); c != nil {
		name, _ := c.scalar.(string)
		return e.condition(name, n.line)
	}
	v, err := e.text(n)
	if err != nil {
		return false, err
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, fmt.Errorf("line %d: %q is not a condition: use Fn::Equals, Fn::And, Fn::Or or Fn::Not", n.line, v)
	}
	return b, nil
}

func (e *evaluator) boolean(name string, arg *node) (bool, error) {
	if name == "Fn::Equals" {
		if len(arg.items) != 2 {
			return false, fmt.Errorf("line %d: Fn::Equals takes two values", arg.line)
		}
		a, err := e.text(arg.items[0])
		if err != nil {
			return false, err
		}
		b, err := e.text(arg.items[1])
		return a == b, err
	}
	values := make([]bool, 0, len(arg.items))
	for _, item := range arg.items {
		v, err := e.truth(item)
		if err != nil {
			return false, err
		}
		values = append(values, v)
	}
	switch {
	case len(values) == 0:
		return false, fmt.Errorf("line %d: %s takes conditions", arg.line, name)
	case name == "Fn::Not":
		return !values[0], nil
	case name == "Fn::And":
		return !slices.Contains(values, false), nil
	}
	return slices.Contains(values, true), nil
}
