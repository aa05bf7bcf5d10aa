// Package template reads template.yaml, the deployment, and says what of it runs
// on one machine. Its one invariant: whatever in it changes behaviour and is not
// understood here is named in Warnings, never skipped in silence.
package template

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A Template is what of a deployment runs here. The slices are sorted by ID.
type Template struct {
	Functions []Function
	Mappings  []Mapping
	Schedules []Schedule
	Routes    []Route
	Throttle  Throttle
	Queues    []Queue
	Tables    []Table
	Buckets   []Bucket
	// Warnings name what is not understood, with its line: one sentence each.
	Warnings []string
}

// A Function is an AWS::Serverless::Function.
type Function struct {
	ID          string // the logical id
	Name        string // FunctionName, or the logical id
	ARN         string
	Handler     string
	Environment map[string]string
	Timeout     time.Duration
	Memory      int // MiB
	Reserved    int // ReservedConcurrentExecutions; 0 is none, -1 is a reservation of zero: it never runs
}

// A Mapping is an event source mapping: a queue whose messages a function gets.
type Mapping struct {
	ID           string // of the function, a dot, and the name of the event
	Function     string // the logical id
	Queue        string // the logical id
	BatchSize    int
	Window       time.Duration // how long a batch may wait for company
	Concurrency  int           // ScalingConfig.MaximumConcurrency; 0 is no limit
	PartialBatch bool          // ReportBatchItemFailures
}

// A Schedule calls a function by rate() or cron().
type Schedule struct {
	ID         string
	Function   string // the logical id
	Expression string
	Input      string // "" is what EventBridge Scheduler sends by itself
}

// A Route is a path of the HTTP API that a function answers.
type Route struct {
	Function string // the logical id
	Method   string // upper case, or ANY
	Path     string // such as /webhooks/{source}
}

// A Throttle bounds the requests of all routes; zero is no bound.
type Throttle struct {
	Rate  float64 // a second
	Burst int
}

// A Queue is an AWS::SQS::Queue.
type Queue struct {
	ID         string
	Name       string
	ARN        string
	FIFO       bool
	Attributes map[string]string // as CreateQueue takes them, RedrivePolicy as JSON
}

// A Table is an AWS::DynamoDB::Table.
type Table struct {
	ID         string
	Name       string
	Attributes map[string]string // name to type: S, N or B
	Keys       []Key
	Indexes    []Index
	TTL        string // the attribute that says when an item expires, or ""
}

// A Key is one part of a key: Type is HASH or RANGE.
type Key struct{ Attribute, Type string }

// An Index is a global secondary index.
type Index struct {
	Name       string
	Keys       []Key
	Projection string   // ALL, KEYS_ONLY or INCLUDE
	Include    []string // with INCLUDE
}

// A Bucket is an AWS::S3::Bucket.
type Bucket struct{ ID, Name string }

// Options say what the file does not.
type Options struct {
	Parameters map[string]string // override the defaults
	Region     string            // default us-east-1
	Account    string            // default 000000000000
	Stack      string            // default pushpull
	// QueueURL returns the address of a queue by its name; default a path of localhost.
	QueueURL func(name string) string
}

func (o Options) withDefaults() Options {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Stack == "" {
		o.Stack = "pushpull"
	}
	if o.QueueURL == nil {
		o.QueueURL = func(name string) string { return "http://localhost/" + o.Account + "/" + name }
	}
	return o
}

// Read reads the template in that file.
func Read(path string, o Options) (Template, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the caller's own template
	if err != nil {
		return Template{}, fmt.Errorf("read the template: %w", err)
	}
	t, err := Parse(data, o)
	if err != nil {
		return Template{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads a template from its bytes.
func Parse(data []byte, o Options) (Template, error) {
	root, err := parse(data)
	if err != nil {
		return Template{}, err
	}
	b := builder{evaluator: evaluator{
		options:    o.withDefaults(),
		root:       root,
		conditions: map[string]bool{},
		visiting:   map[string]bool{},
	}}
	if err := b.readParameters(); err != nil {
		return Template{}, err
	}
	if err := b.readNames(); err != nil {
		return Template{}, err
	}
	b.warnSections()
	if err := b.readResources(); err != nil {
		return Template{}, err
	}
	return b.out, b.checkReferences()
}

// builder makes a Template of the nodes.
type builder struct {
	evaluator
	out Template
}

func (b *builder) warn(line int, format string, args ...any) {
	b.out.Warnings = append(b.out.Warnings, fmt.Sprintf("template.yaml:%d: ", line)+fmt.Sprintf(format, args...))
}

func (b *builder) readParameters() error {
	declared := b.root.field("Parameters")
	b.parameters = map[string]string{}
	if declared != nil {
		for _, name := range declared.keys {
			if d := declared.field(name).field("Default"); d != nil {
				v, err := scalarText(d.scalar, d)
				if err != nil {
					return err
				}
				b.parameters[name] = v
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.options.Parameters)) {
		if declared.field(name) == nil {
			return fmt.Errorf("the template has no parameter %s: it has %s", name, strings.Join(parameterNames(declared), ", "))
		}
		b.parameters[name] = b.options.Parameters[name]
	}
	for _, name := range parameterNames(declared) {
		if _, ok := b.parameters[name]; !ok {
			return fmt.Errorf("the parameter %s has no default: give it a value with --parameter %s=…", name, name)
		}
	}
	return nil
}

func parameterNames(declared *node) []string {
	if declared == nil {
		return nil
	}
	return slices.Sorted(slices.Values(declared.keys))
}

// sections are the parts of a template that are read, or that change nothing here.
var sections = []string{"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Conditions", "Globals", "Resources", "Outputs", "Rules"}

func (b *builder) warnSections() {
	for _, key := range b.root.keys {
		if !slices.Contains(sections, key) {
			b.warn(b.root.field(key).line, "%s is not understood here", key)
		}
	}
	globals := b.root.field("Globals")
	if globals == nil {
		return
	}
	for _, key := range globals.keys {
		if key != "Function" {
			b.warn(globals.field(key).line, "Globals.%s is not understood here", key)
		}
	}
}
