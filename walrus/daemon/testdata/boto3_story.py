"""What people do with buckets through boto3, told once from begin to end."""

import hashlib
import io
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", endpoint_url=sys.argv[1], config=Config(retries={"max_attempts": 1}))


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e.response
        return e.response
    raise AssertionError(f"{call} was not refused")


s3.create_bucket(Bucket="tide")
s3.get_waiter("bucket_exists").wait(Bucket="tide")
refused("404", s3.head_object, Bucket="tide", Key="none")
refused("NoSuchKey", s3.get_object, Bucket="tide", Key="none")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-tide")
refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket="tide")

# Metadata and headers come back as they were given.
body = bytes(range(256)) * 500
s3.put_object(Bucket="tide", Key="ebb/flow", Body=body, Metadata={"Moon": "full", "x": "1  2"},
              ContentType="text/x-tide", CacheControl="no-store", ContentDisposition='attachment; filename="f"')
got = s3.get_object(Bucket="tide", Key="ebb/flow")
assert got["Body"].read() == body and got["Metadata"] == {"moon": "full", "x": "1  2"}, got
assert got["ContentType"] == "text/x-tide" and got["CacheControl"] == "no-store", got
assert got["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()

# Ranges, conditions.
assert s3.get_object(Bucket="tide", Key="ebb/flow", Range="bytes=10-19")["Body"].read() == body[10:20]
assert s3.get_object(Bucket="tide", Key="ebb/flow", Range="bytes=-5")["Body"].read() == body[-5:]
refused("InvalidRange", s3.get_object, Bucket="tide", Key="ebb/flow", Range="bytes=999999-")
refused("304", s3.get_object, Bucket="tide", Key="ebb/flow", IfNoneMatch=got["ETag"])
refused("PreconditionFailed", s3.get_object, Bucket="tide", Key="ebb/flow", IfMatch='"other"')

# Checksums that are asked for are verified, kept and shown.
for name in ("CRC32", "SHA1", "SHA256"):
    s3.put_object(Bucket="tide", Key="sum", Body=b"sum", ChecksumAlgorithm=name)
    assert "Checksum" + name in s3.head_object(Bucket="tide", Key="sum", ChecksumMode="ENABLED"), name

# A large file in parts, up and down by several hands.
large = hashlib.sha512(b"large").digest() * (17 << 14)
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
s3.upload_fileobj(io.BytesIO(large), "tide", "large", Config=parts, ExtraArgs={"Metadata": {"size": str(len(large))}})
back = io.BytesIO()
s3.download_fileobj("tide", "large", back, Config=parts)
assert back.getvalue() == large
assert s3.head_object(Bucket="tide", Key="large")["ETag"].endswith('-4"')
assert s3.head_object(Bucket="tide", Key="large", PartNumber=2)["ContentLength"] == 5 << 20
s3.copy({"Bucket": "tide", "Key": "large"}, "tide", "copy", Config=parts)
assert s3.head_object(Bucket="tide", Key="copy")["ContentLength"] == len(large)

# An upload that is left and taken up again.
upload = s3.create_multipart_upload(Bucket="tide", Key="resumed")["UploadId"]
first = s3.upload_part(Bucket="tide", Key="resumed", UploadId=upload, PartNumber=1, Body=large[:5 << 20])["ETag"]
assert [u["Key"] for u in s3.list_multipart_uploads(Bucket="tide")["Uploads"]] == ["resumed"]
there = s3.list_parts(Bucket="tide", Key="resumed", UploadId=upload)["Parts"]
assert [(p["PartNumber"], p["ETag"]) for p in there] == [(1, first)]
second = s3.upload_part(Bucket="tide", Key="resumed", UploadId=upload, PartNumber=7, Body=b"end")["ETag"]
refused("InvalidPartOrder", s3.complete_multipart_upload, Bucket="tide", Key="resumed", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 7, "ETag": second}, {"PartNumber": 1, "ETag": first}]})
whole = {"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 7, "ETag": second}]}
done = s3.complete_multipart_upload(Bucket="tide", Key="resumed", UploadId=upload, MultipartUpload=whole)
again = s3.complete_multipart_upload(Bucket="tide", Key="resumed", UploadId=upload, MultipartUpload=whole)
assert done["ETag"] == again["ETag"]
gone = s3.create_multipart_upload(Bucket="tide", Key="gone")["UploadId"]
s3.abort_multipart_upload(Bucket="tide", Key="gone", UploadId=gone)
refused("NoSuchUpload", s3.list_parts, Bucket="tide", Key="gone", UploadId=gone)

# Presigned requests need no keys: by the old signature, boto3's own choice, and by the new one.
for version in ("s3", "s3v4"):
    signer = boto3.client("s3", endpoint_url=sys.argv[1], config=Config(signature_version=version))
    url = signer.generate_presigned_url("put_object", Params={"Bucket": "tide", "Key": "posted", "ContentType": "a/c"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(url, data=version.encode(), method="PUT", headers={"Content-Type": "a/c"}))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": "tide", "Key": "posted", "ResponseContentType": "a/b"})
    with urllib.request.urlopen(url) as r:
        assert r.read() == version.encode() and r.headers["Content-Type"] == "a/b"

# Listings page, and keys of all sorts come back as they are.
odd = ["a", "a/", "a/b", "a//b", "../up", "%2F", "ü ö", "+ +", "a\tb", "x" * 1024, "&<>\"'"]
for k in odd:
    s3.put_object(Bucket="tide", Key="odd/" + k if len(k) < 1000 else k, Body=k.encode())
for kind in ("list_objects", "list_objects_v2"):
    pages = s3.get_paginator(kind).paginate(Bucket="tide", PaginationConfig={"PageSize": 3})
    keys = [o["Key"] for p in pages for o in p["Contents"]]
    assert keys == sorted(keys, key=lambda k: k.encode()), keys
    assert {"odd/" + k for k in odd if len(k) < 1000} < set(keys), keys
    pages = s3.get_paginator(kind).paginate(Bucket="tide", Delimiter="/", PaginationConfig={"PageSize": 2})
    assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == ["ebb/", "odd/"]

# Everything can be taken away again.
keys = [{"Key": o["Key"]} for p in s3.get_paginator("list_objects_v2").paginate(Bucket="tide") for o in p["Contents"]]
refused("BucketNotEmpty", s3.delete_bucket, Bucket="tide")
out = s3.delete_objects(Bucket="tide", Delete={"Objects": keys + [{"Key": "never was"}]})
assert len(out["Deleted"]) == len(keys) + 1 and "Errors" not in out, out
s3.delete_bucket(Bucket="tide")
s3.get_waiter("bucket_not_exists").wait(Bucket="tide")
print("told to the end")
