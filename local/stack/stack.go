// Package stack runs the deployment of template.yaml on one machine: its
// functions, queues, tables, routes and schedules, in one process tree. Its one
// invariant: one data folder, one stack; and what a stack has answered is in
// that folder, even after kill -9.
package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"pushpull/local/dynamodb"
	"pushpull/local/keyring"
	"pushpull/local/lambda"
	"pushpull/local/secrets"
	"pushpull/local/sqs"
	"pushpull/local/template"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
)

// Options of a Stack.
type Options struct {
	Root       string            // the folder of go.mod and template.yaml; found from the working folder if empty
	ConfigDir  string            // the YAML files; Root/config if empty
	Data       string            // where state is kept; .pushpull if empty
	Addr       string            // of the gateway; 127.0.0.1:8080 if empty
	Parameters map[string]string // of the template
	Sandbox    bool              // run the provider to try with
	// SandboxEvery is the time between two events of the sandbox; a second if zero.
	SandboxEvery time.Duration
	Watch        bool // rebuild what changes
	// Fresh forgets queues, tables, bodies and what was delivered to files; secrets are kept.
	Fresh  bool
	Limit  int               // environments of each function at once; 0 is twice the cores
	Logger *slog.Logger      // what the stack itself has to say; discards if nil
	Output func(lambda.Line) // what the functions write, from several goroutines at once
	// Progress is told what is being done while starting: "building the functions".
	// It returns what to call when that is done.
	Progress func(what string) (done func())
	Now      func() time.Time // time.Now if nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Root == "" {
		root, err := FindRoot(".")
		if err != nil {
			return o, err
		}
		o.Root = root
	}
	if o.ConfigDir == "" {
		o.ConfigDir = filepath.Join(o.Root, "config")
	}
	if o.Data == "" {
		o.Data = ".pushpull"
	}
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return o, fmt.Errorf("find the data folder: %w", err)
	}
	o.Data = data
	if o.Addr == "" {
		o.Addr = "127.0.0.1:8080"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Output == nil {
		o.Output = func(lambda.Line) {}
	}
	if o.Progress == nil {
		o.Progress = func(string) func() { return func() {} }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

// FindRoot finds the folder of go.mod and template.yaml, from dir upwards.
func FindRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the project: %w", err)
	}
	for {
		_, noMod := os.Stat(filepath.Join(at, "go.mod"))
		_, noTemplate := os.Stat(filepath.Join(at, "template.yaml"))
		if noMod == nil && noTemplate == nil {
			return at, nil
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", fmt.Errorf("no go.mod with a template.yaml beside it here or above: run this in a clone of Pushpull")
		}
		at = parent
	}
}

// A Stack is what runs. Stop must be called.
type Stack struct {
	o        Options
	address  Address
	template template.Template
	config   config.Config
	warnings []string

	lock     lock
	queues   *sqs.Server
	tables   *dynamodb.Server
	secrets  *secrets.Store
	keys     keyring.Ring
	runtime  *lambda.Runtime
	provider *provider      // the sandbox; nil where it does not run
	sockets  []net.Listener // closed again by their servers, if they got that far
	servers  []server
	ready    atomic.Bool

	cancel context.CancelFunc // of all that takes work: schedules, mappings, the sandbox, the watcher
	work   sync.WaitGroup
	stop   sync.Once
	failed error // of stop
}

// Start starts a stack and returns when it is ready: its functions are up. It
// runs until Stop. An ErrConfig says what is wrong with the configuration.
func Start(ctx context.Context, o Options) (*Stack, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	s := &Stack{o: o}
	if s.lock, err = takeLock(o.Data); err != nil {
		return nil, err
	}
	if o.Fresh {
		err = s.forget()
	}
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	before, _ := readAddress(s.o.Data) // the ports of the last time, where there was one
	listeners, err := s.listen(ctx, before)
	if err != nil {
		return err
	}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	steps := []func() error{
		s.readTemplate,
		s.openStores,
		s.prepareConfig,
		func() error { return s.serve(listeners) },
		func() error { return s.build(ctx) },
		func() error { return s.startFunctions(ctx) },
		func() error { return s.address.write() },
		func() error { return s.startWork(working) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("start the local stack: %w", err)
		}
	}
	s.ready.Store(true)
	return nil
}

// Address is where the stack listens.
func (s *Stack) Address() Address { return s.address }

// Config is the configuration that runs, the sandbox's included.
func (s *Stack) Config() config.Config { return s.config }

// Warnings are what of the template and the configuration is doubtful.
func (s *Stack) Warnings() []string { return s.warnings }

// Invoke calls a function by its logical id.
func (s *Stack) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	return s.runtime.Invoke(ctx, function, payload)
}

// readTemplate reads it with all that a source may ask for: here a queue costs nothing.
func (s *Stack) readTemplate() error {
	parameters := map[string]string{"StrictOrder": "true"}
	maps.Copy(parameters, s.o.Parameters)
	t, err := template.Read(filepath.Join(s.o.Root, "template.yaml"), template.Options{
		Parameters: parameters,
		QueueURL:   func(name string) string { return s.address.SQS + "/000000000000/" + name },
	})
	s.template = t
	s.warnings = append(s.warnings, t.Warnings...)
	return err
}

// openStores opens the queues and tables, and makes those of the template.
func (s *Stack) openStores() error {
	var err error
	s.queues, err = sqs.Open(filepath.Join(s.o.Data, "queues.db"), sqs.Options{Logger: s.o.Logger})
	if err != nil {
		return fmt.Errorf("open the queues: %w", err)
	}
	s.queues.SetBaseURL(s.address.SQS)
	s.tables, err = dynamodb.Open(filepath.Join(s.o.Data, "tables.db"), dynamodb.Options{Logger: s.o.Logger})
	if err != nil {
		return fmt.Errorf("open the tables: %w", err)
	}
	return errors.Join(s.makeQueues(), s.makeTables())
}

// makeQueues makes the dead-letter queues first: the others name them.
func (s *Stack) makeQueues() error {
	for _, redrives := range []bool{false, true} {
		for _, q := range s.template.Queues {
			if (q.Attributes["RedrivePolicy"] != "") != redrives {
				continue
			}
			url, _, err := s.queues.EnsureQueue(q.Name, q.Attributes)
			if err != nil {
				return fmt.Errorf("make the queue %s of template.yaml: %w", q.ID, err)
			}
			s.address.Queues[q.ID], s.address.Queues[q.Name] = url, url
		}
	}
	return nil
}

func (s *Stack) makeTables() error {
	for _, t := range s.template.Tables {
		if err := s.tables.EnsureTable(definition(t)); err != nil {
			return fmt.Errorf("make the table %s of template.yaml: %w", t.ID, err)
		}
		s.address.Tables[t.ID], s.address.Tables[t.Name] = t.Name, t.Name
	}
	return nil
}

func definition(t template.Table) dynamodb.TableDefinition {
	d := dynamodb.TableDefinition{TableName: t.Name, KeySchema: keySchema(t.Keys), BillingMode: "PAY_PER_REQUEST"}
	for name, kind := range t.Attributes {
		d.AttributeDefinitions = append(d.AttributeDefinitions, dynamodb.AttributeDefinition{AttributeName: name, AttributeType: kind})
	}
	for _, x := range t.Indexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, dynamodb.IndexDefinition{
			IndexName: x.Name, KeySchema: keySchema(x.Keys),
			Projection: dynamodb.Projection{ProjectionType: x.Projection, NonKeyAttributes: x.Include},
		})
	}
	if t.TTL != "" {
		d.TimeToLiveSpecification = &dynamodb.TimeToLiveSpecification{AttributeName: t.TTL, Enabled: true}
	}
	return d
}

func keySchema(keys []template.Key) []dynamodb.KeySchemaElement {
	out := make([]dynamodb.KeySchemaElement, len(keys))
	for i, k := range keys {
		out[i] = dynamodb.KeySchemaElement{AttributeName: k.Attribute, KeyType: k.Type}
	}
	return out
}

// prepareConfig compiles the configuration and makes the secrets it refers to.
func (s *Stack) prepareConfig() error {
	var err error
	s.keys = keyring.New(s.o.Data)
	s.secrets, err = secrets.Open(filepath.Join(s.o.Data, "secrets.yaml"), s.o.Now)
	if err != nil {
		return err
	}
	if s.o.Sandbox {
		if s.provider, err = newProvider(s); err != nil {
			return err
		}
	}
	if err := s.compile(); err != nil {
		return err
	}
	if s.o.Fresh {
		return s.forgetFiles()
	}
	return nil
}

// compile compiles the configuration as it is now. On error all is as it was.
func (s *Stack) compile() error {
	var extra []load.File
	if s.provider != nil {
		extra = s.provider.files()
	}
	if filepath.Clean(s.o.ConfigDir) == filepath.Join(s.o.Root, "config") {
		// The functions embed this one: keep it as `sam build` would make it.
		if _, err := load.Write(s.o.ConfigDir); err != nil && !errors.Is(err, load.ErrProblems) {
			return err
		}
	}
	cfg, problems, err := compileConfig(s.o.ConfigDir, s.address.Config, extra)
	if err != nil {
		return err
	}
	for _, p := range problems {
		s.warnings = append(s.warnings, p.String())
	}
	s.config = cfg
	return s.ensureSecrets()
}

// Stop ends the stack: it takes no more work, lets what runs end for a second,
// and ends the processes. It may be called again.
func (s *Stack) Stop(ctx context.Context) error {
	s.stop.Do(func() { s.failed = s.end(ctx) })
	return s.failed
}

// grace is how long invocations in progress may go on after Stop.
const grace = time.Second

func (s *Stack) end(ctx context.Context) error {
	s.ready.Store(false)
	if s.cancel != nil {
		s.cancel()
	}
	var errs []error
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if s.runtime != nil {
		errs = append(errs, s.runtime.Close(ctx))
	}
	s.work.Wait()
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	for _, l := range s.sockets {
		_ = l.Close() // its server has closed it, where there is one
	}
	if s.provider != nil {
		errs = append(errs, s.provider.sandbox.Close())
	}
	if s.queues != nil {
		errs = append(errs, s.queues.Close())
	}
	if s.tables != nil {
		errs = append(errs, s.tables.Close())
	}
	return errors.Join(append(errs, s.lock.release())...)
}

// listeners are where the parts of a stack listen.
type listeners struct{ gateway, sqs, dynamodb, secrets, sandbox net.Listener }
