"""A user's program on boto3, as it would be written for the public cloud.

usage: boto3_story.py EC2_URL S3_URL IMAGE
"""

import io
import os
import sys

import boto3
import botocore.config
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

ec2_url, s3_url, image = sys.argv[1:]
often = {"Delay": 1, "MaxAttempts": 60}


def client(service, url, **more):
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **more)


def same(got, want, what):
    if got != want:
        raise SystemExit(f"{what}: got {got!r}, want {want!r}")


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        same(e.response["Error"]["Code"], code, call.__name__)
        assert e.response["ResponseMetadata"]["RequestId"], "no request id"
        return e.response["ResponseMetadata"]["HTTPStatusCode"]
    raise SystemExit(f"{call.__name__} was not refused with {code}")


def who():
    me = client("sts", ec2_url).get_caller_identity()
    same(me["Arn"].split(":")[4], me["Account"], "the account in the ARN")
    bad = boto3.client("sts", endpoint_url=ec2_url, region_name="us-east-1",
                       aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x")
    same(refused("InvalidClientTokenId", bad.get_caller_identity), 403, "the status for an unknown key")


def instances():
    ec2 = client("ec2", ec2_url)
    tags = [{"Key": "Name", "Value": "web"}, {"Key": "with <&> signs", "Value": ""}]
    run = ec2.run_instances(ImageId=image, InstanceType="t1.nano", MinCount=5, MaxCount=5, ClientToken="once",
                            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    ids = sorted(i["InstanceId"] for i in run["Instances"])
    again = ec2.run_instances(ImageId=image, InstanceType="t1.nano", MinCount=5, MaxCount=5, ClientToken="once",
                              TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    same(again["ReservationId"], run["ReservationId"], "the reservation of the same token")
    ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig=often)
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=ids, WaiterConfig=often)

    ec2.create_tags(Resources=ids[:2], Tags=[{"Key": "role", "Value": "database"}])
    for _ in range(3):  # reservations of one, so that there are pages
        ec2.run_instances(ImageId=image, InstanceType="t1.nano", MinCount=1, MaxCount=1)
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    all_ids = [i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]]
    same((len(pages) > 1, len(all_ids), len(set(all_ids))), (True, 8, 8), "pages of instances")

    def found(**filters):
        f = [{"Name": k.replace("__", ":").replace("_", "-"), "Values": v} for k, v in filters.items()]
        out = ec2.describe_instances(Filters=f)
        return sorted(i["InstanceId"] for r in out["Reservations"] for i in r["Instances"])

    same(found(tag__role=["data*"]), sorted(ids[:2]), "instances by a tag with a wildcard")
    same(found(tag__Name=["web"], instance_state_name=["running"]), ids, "instances by two filters")
    same(found(tag__Name=["web", "none"], availability_zone=["us-east-1b"]),
         sorted(i["InstanceId"] for i in run["Instances"] if i["Placement"]["AvailabilityZone"] == "us-east-1b"), "instances of a zone")
    same(refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"]), 400, "status")
    same(refused("DryRunOperation", ec2.stop_instances, InstanceIds=ids, DryRun=True), 412, "the status of a dry run")

    ec2.stop_instances(InstanceIds=ids[:1])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=ids[:1], WaiterConfig=often)
    ec2.start_instances(InstanceIds=ids[:1])
    ec2.get_waiter("instance_running").wait(InstanceIds=ids[:1], WaiterConfig=often)
    volumes(ec2, ids[0])
    thing = boto3.resource("ec2", endpoint_url=ec2_url, region_name="us-east-1").Instance(ids[1])
    same({t["Key"]: t["Value"] for t in thing.tags}, {"Name": "web", "with <&> signs": "", "role": "database"}, "tags of a resource")
    thing.terminate()
    thing.wait_until_terminated(WaiterConfig=often)
    ec2.terminate_instances(InstanceIds=all_ids)
    ec2.get_waiter("instance_terminated").wait(InstanceIds=all_ids, WaiterConfig=often)


def volumes(ec2, instance):
    zone = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
    v = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[v], WaiterConfig=often)
    ec2.attach_volume(VolumeId=v, InstanceId=instance, Device="/dev/sdf")
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[v], WaiterConfig=often)
    snap = ec2.create_snapshot(VolumeId=v, Description="of a running one")["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snap], WaiterConfig=often)
    ec2.detach_volume(VolumeId=v)
    ec2.get_waiter("volume_available").wait(VolumeIds=[v], WaiterConfig=often)
    ec2.delete_volume(VolumeId=v)
    ec2.get_waiter("volume_deleted").wait(VolumeIds=[v], WaiterConfig=often)
    ec2.delete_snapshot(SnapshotId=snap)


def groups():
    ec2 = client("ec2", ec2_url)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    g = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    rules = [{"IpProtocol": "tcp", "FromPort": p, "ToPort": p, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]} for p in range(80, 92)]
    ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=rules)
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=g, IpPermissions=rules[:1])
    pages = list(ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [g]}], PaginationConfig={"PageSize": 5}))
    ingress = [r for p in pages for r in p["SecurityGroupRules"] if not r["IsEgress"]]
    same((len(pages), len(ingress)), (3, 12), "pages of rules")
    ec2.delete_security_group(GroupId=g)


def buckets():
    s3 = client("s3", s3_url, config=botocore.config.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="lake")
    s3.get_waiter("bucket_exists").wait(Bucket="lake", WaiterConfig=often)
    data = os.urandom(12 << 20)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(data), "lake", "large", Config=parts, ExtraArgs={"Metadata": {"Colour": "blue"}, "ContentType": "x/y"})
    back = io.BytesIO()
    s3.download_fileobj("lake", "large", back, Config=parts)
    same(back.getvalue() == data, True, "a large object")
    about = s3.head_object(Bucket="lake", Key="large")
    same((about["Metadata"], about["ContentType"], about["ETag"][-3:]), ({"colour": "blue"}, "x/y", '-3"'), "head")
    for n in range(25):
        s3.put_object(Bucket="lake", Key=f"dir {n % 5}/ü+{n:02}", Body=b"%d" % n)
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="lake", PaginationConfig={"PageSize": 10}))
    same([len(p["Contents"]) for p in pages], [10, 10, 6], "pages of objects")
    tops = s3.list_objects_v2(Bucket="lake", Delimiter="/")
    same([p["Prefix"] for p in tops["CommonPrefixes"]], [f"dir {n}/" for n in range(5)], "prefixes")
    same(s3.get_object(Bucket="lake", Key="large", Range="bytes=5-9")["Body"].read(), data[5:10], "a range")
    same(refused("NoSuchKey", s3.get_object, Bucket="lake", Key="none"), 404, "status")
    keys = [{"Key": o["Key"]} for p in pages for o in p["Contents"]]
    same(len(s3.delete_objects(Bucket="lake", Delete={"Objects": keys})["Deleted"]), 26, "deleted")
    s3.delete_bucket(Bucket="lake")


for story in (who, instances, groups, buckets):
    story()
    print(story.__name__, "is told")
