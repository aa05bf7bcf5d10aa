package template

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// readNames gives every resource what Ref and GetAtt answer, before anything
// refers to it. A resource's own name may not refer to other resources.
func (b *builder) readNames() error {
	all := b.root.field("Resources")
	if all == nil {
		return fmt.Errorf("the template has no Resources")
	}
	b.resources = make(map[string]resource, len(all.keys))
	for _, id := range all.keys {
		r := all.field(id)
		kind, _ := r.field("Type").scalarString()
		if kind == "" {
			return fmt.Errorf("line %d: %s has no Type", r.line, id)
		}
		named, err := b.names(id, kind, r.field("Properties"))
		if err != nil {
			return err
		}
		b.resources[id] = named
	}
	return nil
}

func (n *node) scalarString() (string, bool) {
	if n == nil {
		return "", false
	}
	s, ok := n.scalar.(string)
	return s, ok
}

// names is what Ref and GetAtt answer for one resource.
func (b *builder) names(id, kind string, properties *node) (resource, error) {
	name := func(property string) (string, error) {
		if p := properties.field(property); p != nil {
			return b.text(p)
		}
		return id, nil
	}
	o := b.options
	arn := func(service, rest string) string {
		return "arn:aws:" + service + ":" + o.Region + ":" + o.Account + ":" + rest
	}
	switch kind {
	case "AWS::SQS::Queue":
		n, err := name("QueueName")
		if fifo := properties.field("FifoQueue"); fifo != nil && fmt.Sprint(fifo.scalar) == "true" && properties.field("QueueName") == nil {
			n += ".fifo" // as CloudFormation names it
		}
		url := o.QueueURL(n)
		return resource{ref: url, attributes: map[string]string{"Arn": arn("sqs", n), "QueueName": n, "QueueUrl": url}}, err
	case "AWS::DynamoDB::Table":
		n, err := name("TableName")
		return resource{ref: n, attributes: map[string]string{"Arn": arn("dynamodb", "table/"+n)}}, err
	case "AWS::S3::Bucket":
		n, err := name("BucketName")
		n = strings.ToLower(n)
		return resource{ref: n, attributes: map[string]string{"Arn": "arn:aws:s3:::" + n}}, err
	case "AWS::Serverless::Function":
		n, err := name("FunctionName")
		return resource{ref: n, attributes: map[string]string{"Arn": arn("lambda", "function:"+n)}}, err
	}
	return resource{ref: id, attributes: map[string]string{"Arn": arn("local", id)}}, nil
}

// inert are the types that do nothing here and need no word: what they do
// (keep logs, notify people, permit) has no place on one machine.
var inert = []string{"AWS::Logs::LogGroup", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::Lambda::Permission", "AWS::SNS::TopicPolicy"}

func (b *builder) readResources() error {
	all := b.root.field("Resources")
	for _, id := range all.keys {
		r := all.field(id)
		if c, ok := r.field("Condition").scalarString(); ok {
			yes, err := b.condition(c, r.line)
			if err != nil {
				return err
			}
			if !yes {
				delete(b.resources, id)
				continue
			}
		}
		if err := b.readResource(id, r); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	slices.SortFunc(b.out.Functions, func(x, y Function) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(b.out.Mappings, func(x, y Mapping) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(b.out.Schedules, func(x, y Schedule) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(b.out.Queues, func(x, y Queue) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(b.out.Tables, func(x, y Table) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(b.out.Buckets, func(x, y Bucket) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

func (b *builder) readResource(id string, r *node) error {
	kind, _ := r.field("Type").scalarString()
	p := &properties{b: b, where: id, node: r.field("Properties"), read: map[string]bool{}}
	switch kind {
	case "AWS::Serverless::Function":
		b.readFunction(id, p)
	case "AWS::Serverless::HttpApi":
		b.readAPI(p)
	case "AWS::SQS::Queue":
		b.readQueue(id, p)
	case "AWS::Lambda::EventSourceMapping":
		b.readMapping(id, b.functionByName(p.text("FunctionName", "")), "EventSourceArn", p)
	case "AWS::DynamoDB::Table":
		b.readTable(id, p)
	case "AWS::S3::Bucket":
		b.out.Buckets = append(b.out.Buckets, Bucket{ID: id, Name: b.resources[id].ref})
		p.skip("BucketName", "LifecycleConfiguration", "PublicAccessBlockConfiguration", "BucketEncryption", "OwnershipControls", "VersioningConfiguration", "Tags")
	default:
		if !slices.Contains(inert, kind) {
			b.warn(r.line, "%s is of the type %s, which does not run here", id, kind)
		}
		return nil
	}
	return p.done()
}

func (b *builder) readQueue(id string, p *properties) {
	q := Queue{ID: id, Name: b.resources[id].attributes["QueueName"], ARN: b.resources[id].attributes["Arn"], Attributes: map[string]string{}}
	p.skip("QueueName", "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "Tags")
	for _, name := range []string{"VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "MaximumMessageSize", "ReceiveMessageWaitTimeSeconds", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"} {
		if v := p.text(name, ""); v != "" {
			q.Attributes[name] = v
		}
	}
	if q.FIFO = p.text("FifoQueue", "false") == "true"; q.FIFO {
		q.Attributes["FifoQueue"] = "true"
	}
	for _, name := range []string{"RedrivePolicy", "RedriveAllowPolicy"} {
		if v := p.value(name); v != nil {
			text, err := json.Marshal(v)
			p.fail(err)
			q.Attributes[name] = string(text)
		}
	}
	b.out.Queues = append(b.out.Queues, q)
}

func (b *builder) readTable(id string, p *properties) {
	t := Table{ID: id, Name: b.resources[id].ref, Attributes: map[string]string{}}
	p.skip("TableName", "BillingMode", "PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled", "ContributorInsightsSpecification", "ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput", "TableClass", "Tags")
	for _, a := range p.list("AttributeDefinitions") {
		t.Attributes[a.text("AttributeName", "")] = a.text("AttributeType", "S")
	}
	t.Keys = readKeys(p)
	for _, ix := range p.list("GlobalSecondaryIndexes") {
		projection := ix.sub("Projection")
		index := Index{
			Name:       ix.text("IndexName", ""),
			Keys:       readKeys(ix),
			Projection: projection.text("ProjectionType", "ALL"),
			Include:    projection.texts("NonKeyAttributes"),
		}
		ix.skip("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput", "ContributorInsightsSpecification")
		t.Indexes = append(t.Indexes, index)
	}
	if ttl := p.sub("TimeToLiveSpecification"); ttl.text("Enabled", "false") == "true" {
		t.TTL = ttl.text("AttributeName", "")
	} else {
		ttl.skip("AttributeName")
	}
	b.out.Tables = append(b.out.Tables, t)
}

func readKeys(p *properties) []Key {
	var keys []Key
	for _, k := range p.list("KeySchema") {
		keys = append(keys, Key{Attribute: k.text("AttributeName", ""), Type: k.text("KeyType", "HASH")})
	}
	return keys
}

func (b *builder) readAPI(p *properties) {
	p.skip("Description", "Name", "StageName", "AccessLogSettings", "Tags", "PropagateTags", "FailOnWarnings")
	settings := p.sub("DefaultRouteSettings")
	b.out.Throttle = Throttle{Rate: settings.number("ThrottlingRateLimit", 0), Burst: int(settings.number("ThrottlingBurstLimit", 0))}
	settings.skip("DetailedMetricsEnabled")
}

func (b *builder) readFunction(id string, p *properties) {
	p.globals = b.root.field("Globals").field("Function")
	p.skip("Architectures", "Runtime", "CodeUri", "Description", "Policies", "Role", "LoggingConfig", "Tracing", "Tags", "PermissionsBoundary", "FunctionName", "AutoPublishAlias", "DeploymentPreference", "RuntimeManagementConfig", "EventInvokeConfig")
	f := Function{
		ID:          id,
		Name:        b.resources[id].ref,
		ARN:         b.resources[id].attributes["Arn"],
		Handler:     p.text("Handler", "bootstrap"),
		Timeout:     time.Duration(p.number("Timeout", 3) * float64(time.Second)),
		Memory:      int(p.number("MemorySize", 128)),
		Environment: p.sub("Environment").texts2("Variables"),
	}
	if reserved := p.text("ReservedConcurrentExecutions", ""); reserved != "" {
		f.Reserved = int(p.number("ReservedConcurrentExecutions", 0))
		if f.Reserved == 0 {
			f.Reserved = -1
		}
	}
	if events := p.sub("Events"); events.node != nil {
		for _, name := range events.node.keys {
			b.readEvent(id, name, events.sub(name))
		}
	}
	b.out.Functions = append(b.out.Functions, f)
}

func (b *builder) readEvent(function, name string, e *properties) {
	p := e.sub("Properties")
	id := function + "." + name
	switch kind := e.text("Type", ""); kind {
	case "HttpApi":
		p.skip("ApiId", "PayloadFormatVersion")
		b.out.Routes = append(b.out.Routes, Route{Function: function, Method: strings.ToUpper(p.text("Method", "ANY")), Path: p.text("Path", "")})
	case "Schedule", "ScheduleV2":
		p.skip("FlexibleTimeWindow", "RetryPolicy", "DeadLetterConfig", "Description", "Name", "RoleArn", "PermissionsBoundary", "GroupName", "OmitName")
		s := Schedule{ID: id, Function: function, Expression: p.text(scheduleProperty(kind), ""), Input: p.text("Input", "")}
		if p.text("State", "ENABLED") != "DISABLED" && p.text("Enabled", "true") != "false" {
			b.out.Schedules = append(b.out.Schedules, s)
		}
	case "SQS":
		b.readMapping(id, function, "Queue", p)
	default:
		b.warn(e.line(), "%s is an event of the type %s, which does not happen here", id, kind)
		p.skipAll()
	}
}

func scheduleProperty(kind string) string {
	if kind == "ScheduleV2" {
		return "ScheduleExpression"
	}
	return "Schedule"
}

// readMapping reads a mapping; the queue stands under SAM's name for it, or
// CloudFormation's.
func (b *builder) readMapping(id, function, queue string, p *properties) {
	m := Mapping{
		ID:           id,
		Function:     function,
		Queue:        b.queueByARN(p.text(queue, "")),
		BatchSize:    int(p.number("BatchSize", 10)),
		Window:       time.Duration(p.number("MaximumBatchingWindowInSeconds", 0) * float64(time.Second)),
		Concurrency:  int(p.sub("ScalingConfig").number("MaximumConcurrency", 0)),
		PartialBatch: slices.Contains(p.texts("FunctionResponseTypes"), "ReportBatchItemFailures"),
	}
	if p.text("Enabled", "true") == "false" {
		return
	}
	if m.Queue == "" {
		p.fail(fmt.Errorf("line %d: %s: %s is not the Arn of a queue of this template: write !GetAtt TheQueue.Arn", p.line(), id, queue))
		return
	}
	b.out.Mappings = append(b.out.Mappings, m)
}

// functionByName finds a function by what !Ref gives.
func (b *builder) functionByName(name string) string {
	resources := b.root.field("Resources")
	for _, id := range resources.keys {
		kind, _ := resources.field(id).field("Type").scalarString()
		if r, ok := b.resources[id]; ok && kind == "AWS::Serverless::Function" && r.ref == name {
			return id
		}
	}
	return name
}

func (b *builder) queueByARN(arn string) string {
	for id, r := range b.resources {
		if _, isQueue := r.attributes["QueueUrl"]; isQueue && r.attributes["Arn"] == arn {
			return id
		}
	}
	return ""
}

// checkReferences finds mappings to resources that a condition left out.
func (b *builder) checkReferences() error {
	for _, m := range b.out.Mappings {
		if !slices.ContainsFunc(b.out.Queues, func(q Queue) bool { return q.ID == m.Queue }) {
			return fmt.Errorf("%s: the queue %s is not deployed", m.ID, m.Queue)
		}
	}
	return nil
}
