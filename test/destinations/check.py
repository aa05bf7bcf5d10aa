"""The destinations in AWS, through a running stack, against moto.

usage: check.py DATA STACK MOTO: the stack's data folder, where it takes webhooks,
and where moto answers. PUSHPULL is the command.
"""

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import time
import urllib.request

import boto3
import pyarrow.parquet

DATA, STACK, MOTO = sys.argv[1:4]
EVENTS = 40
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
with open(os.path.join(DATA, "stack.json"), encoding="utf-8") as f:
    QUEUES = boto3.client("sqs", endpoint_url=json.load(f)["sqs"], **KEYS)
passed, failed = 0, 0


def check(what, ok, seen=None):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {str(seen)[:600]}")


def client(service):
    return boto3.client(service, endpoint_url=MOTO, **KEYS)


def prepare():
    """What the destinations name, and queues in moto that show what a bus and topics have."""
    sqs, seen = client("sqs"), {}
    for name, attributes in (("bus", {}), ("topic", {}), ("paid", {}), ("topic.fifo", {"FifoQueue": "true"})):
        seen[name] = sqs.create_queue(QueueName="seen-" + name, Attributes=attributes)["QueueUrl"]
    arn = lambda name: "arn:aws:sqs:us-east-1:123456789012:seen-" + name
    events = client("events")
    events.create_event_bus(Name="orders")
    pattern = {"source": ["orders"], "detail-type": ["order.created", "order.paid"], "detail": {"data": {"order": [{"exists": True}]}}}
    events.put_rule(Name="all", EventBusName="orders", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": arn("bus")}])
    sns = client("sns")
    raw = {"RawMessageDelivery": "true"}
    topic = sns.create_topic(Name="orders")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("topic"), Attributes=raw)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("paid"), Attributes={**raw, "FilterPolicy": '{"type":["order.paid"]}'})
    ordered = sns.create_topic(Name="orders.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    sns.subscribe(TopicArn=ordered, Protocol="sqs", Endpoint=arn("topic.fifo"), Attributes=raw)
    client("kinesis").create_stream(StreamName="orders", ShardCount=4)
    s3 = client("s3")
    for bucket in ("objects", "tables", "hose"):
        s3.create_bucket(Bucket=bucket)
    role = client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("firehose").create_delivery_stream(
        DeliveryStreamName="orders", ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": "arn:aws:s3:::hose"})
    settings = json.dumps({"lambda": {"use_docker": False}}).encode()
    urllib.request.urlopen(urllib.request.Request(MOTO + "/moto-api/config", settings, {"Content-Type": "application/json"})).close()
    client("lambda").create_function(
        FunctionName="orders", Runtime="python3.12", Role=role, Handler="a.b", Code={"ZipFile": b"none"})
    for name, attributes in (("orders", {}), ("orders.fifo", {"FifoQueue": "true"})):
        QUEUES.create_queue(QueueName=name, Attributes=attributes)
    return sqs, seen


def post(source, event):
    request = urllib.request.Request(
        f"{STACK}/webhooks/{source}", json.dumps(event).encode(), {"X-Token": os.environ["WEBHOOK_TOKEN"], "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        check("a webhook is taken", answer.status in (200, 202), answer.status)


def listed(source):
    out = subprocess.run([os.environ["PUSHPULL"], "events", "--data", DATA, "--source", source, "--limit", "200", "--json"],
                         capture_output=True, text=True, timeout=60, check=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.strip()]


def ended(source, n):
    """The events of a source once all have come to an end, or what there is after two minutes."""
    end = time.monotonic() + 120
    while True:
        events = listed(source)
        if time.monotonic() > end or len(events) == n and all(e["status"] in ("delivered", "dead") for e in events):
            return events
        time.sleep(0.5)


def drain(sqs, url):
    """Every message of a queue, as SQS gives them out."""
    all_of_them, quiet = [], 0
    while quiet < 3:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages", [])
        quiet = 0 if got else quiet + 1
        for m in got:
            all_of_them.append(m)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    return all_of_them


def objects(bucket):
    s3 = client("s3")
    return {o["Key"]: s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket) for o in page.get("Contents", [])}


def once(what, events, want):
    """Each sent event is among the CloudEvents once, with its data."""
    ids = sorted(e["id"] for e in events)
    check(f"{what}: each event, once", ids == sorted(want), ids)
    check(f"{what}: with its data", all(e["data"] == want.get(e["id"]) for e in events), events[:2])


def in_order(what, groups, want):
    """Each entity's messages are of its events alone."""
    orders = {group: {want[i]["order"] for i in ids if i in want} for group, ids in groups.items()}
    check(f"{what}: a group is one entity", len(groups) == 4 and all(len(o) == 1 for o in orders.values()), orders)


def small(sqs, seen):
    want = {f"evt-{i}": {"id": f"evt-{i}", "type": ("order.created", "order.paid")[i % 2], "order": f"order {i % 4}", "text": "é €"} for i in range(EVENTS)}
    for event in want.values():
        post("orders", event)
    events = ended("orders", EVENTS)
    check("every event is delivered", len(events) == EVENTS and all(e["status"] == "delivered" for e in events), events[:2])

    details = [json.loads(m["Body"]) for m in drain(sqs, seen["bus"])]
    once("eventbridge", [d["detail"] for d in details], want)
    check("eventbridge: source and detail type", all(d["source"] == "orders" and d["detail-type"] == d["detail"]["type"] for d in details), details[:1])

    messages = drain(QUEUES, QUEUES.get_queue_url(QueueName="orders")["QueueUrl"])
    once("sqs", [json.loads(m["Body"]) for m in messages], want)
    check("sqs: attributes", all(m["MessageAttributes"]["id"]["StringValue"] in want for m in messages), messages[:1])

    groups, bodies = {}, []
    for m in drain(QUEUES, QUEUES.get_queue_url(QueueName="orders.fifo")["QueueUrl"]):
        bodies.append(json.loads(m["Body"]))
        groups.setdefault(m["Attributes"]["MessageGroupId"], []).append(bodies[-1]["id"])
    once("sqs, fifo", bodies, want)
    in_order("sqs, fifo", groups, want)

    once("sns", [json.loads(m["Body"]) for m in drain(sqs, seen["topic"])], want)
    paid = {i: e for i, e in want.items() if e["type"] == "order.paid"}
    once("sns, filtered by type", [json.loads(m["Body"]) for m in drain(sqs, seen["paid"])], paid)
    once("sns, fifo", [json.loads(m["Body"]) for m in drain(sqs, seen["topic.fifo"])], want)

    kinesis, groups, records = client("kinesis"), {}, []
    for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
        iterator = kinesis.get_shard_iterator(StreamName="orders", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        for r in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]:
            records.append(json.loads(r["Data"]))
            groups.setdefault(r["PartitionKey"], []).append(records[-1]["id"])
    once("kinesis", records, want)
    in_order("kinesis", groups, want)

    lines = b"".join(objects("hose").values()).decode().splitlines()
    once("firehose", [json.loads(line) for line in lines], want)

    single = objects("objects")
    once("s3", [json.loads(line) for body in single.values() for line in gzip.decompress(body).splitlines()], want)
    check("s3: an object each", len(single) == EVENTS and all(k.startswith("orders/order.") and k.endswith(".ndjson.gz") for k in single), list(single)[:2])

    tables = objects("tables")
    rows = [row for body in tables.values() for row in pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()]
    once("s3, parquet", [{**row, "data": json.loads(row["data"])} for row in rows], want)
    check("s3, parquet: partitions", all(k.startswith("orders/dt=20") for k in tables), list(tables)[:2])

    shown = json.loads(subprocess.run([os.environ["PUSHPULL"], "show", "orders/evt-0", "--data", DATA, "--json"],
                                      capture_output=True, text=True, timeout=60, check=True).stdout)
    check("lambda: it was invoked", "function" in json.dumps(shown), shown)


def large():
    """What one service cannot take, another has: the event is dead for the reason of the first alone."""
    event = {"id": "large", "type": "export", "text": base64.b64encode(os.urandom(1_500_000)).decode()}
    post("large", event)
    events = ended("large", 1)
    check("a large event is dead where it is too large", [e["status"] for e in events] == ["dead"], events)
    check("the reason says so", "bus: the event has" in json.dumps(events) and "the limit is 1048575" in json.dumps(events), events)
    body = [json.loads(gzip.decompress(b)) for k, b in objects("objects").items() if k.startswith("large/")]
    check("s3 has it", len(body) == 1 and body[0]["data"] == event, [str(b)[:200] for b in body])


queues, urls = prepare()
small(queues, urls)
large()
print(f"{passed} checks of destinations in AWS passed, {failed} failed")
sys.exit(1 if failed else 0)
