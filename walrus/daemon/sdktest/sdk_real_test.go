//go:build real

package sdktest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

const (
	queueARN   = "arn:karri:sqs:us-east-1::queue"
	replicaARN = "arn:karri:s3:elsewhere::there"
)

func client(t *testing.T) *s3.Client {
	taker := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(taker.Close)
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{
		Events: []string{queueARN + "=" + taker.URL}, Replicas: []string{replicaARN + "=http://127.0.0.1:1#/dev/null"},
	})
	c := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &w.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(walrustest.Ann.AccessKey, walrustest.Ann.Secret, ""),
	})
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("pond")}); err != nil {
		t.Fatal(err)
	}
	return c
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func get(t *testing.T, c *s3.Client, key string) []byte {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("pond"), Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body) // the SDK checks the checksum as it reads
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestChecksums lets the SDK compute each checksum, by header and by trailer,
// and check it again as it reads.
func TestChecksums(t *testing.T) {
	c := client(t)
	data := bytes.Repeat([]byte("checked"), 50_000)
	for _, a := range types.ChecksumAlgorithmCrc32.Values() {
		if a != types.ChecksumAlgorithmCrc32 && a != types.ChecksumAlgorithmCrc32c && a != types.ChecksumAlgorithmCrc64nvme && a != types.ChecksumAlgorithmSha1 && a != types.ChecksumAlgorithmSha256 {
			continue
		}
		key := "sum/" + string(a)
		out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pond"), Key: &key, Body: bytes.NewReader(data), ChecksumAlgorithm: a})
		if err != nil {
			t.Errorf("%s: %v", a, err)
			continue
		}
		if out.ETag == nil || !bytes.Equal(get(t, c, key), data) {
			t.Errorf("%s: %+v", a, out)
		}
	}
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pond"), Key: aws.String("plain"), Body: bytes.NewReader(data)})
	if err != nil || out.ChecksumCRC32 == nil && out.ChecksumCRC64NVME == nil {
		t.Errorf("without a named checksum: %+v %v", out, err)
	}
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pond"), Key: aws.String("bad"), Body: bytes.NewReader(data), ChecksumCRC32: aws.String("AAAAAA==")})
	wantCode(t, err, "BadDigest")
}

// TestParts uploads by the SDK's manager with each kind of whole checksum.
func TestParts(t *testing.T) {
	c := client(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 11<<16+1) // 11 MiB and 16 bytes
	for _, a := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha256} {
		key := "parts/" + string(a)
		up := manager.NewUploader(c, func(u *manager.Uploader) { u.PartSize = 5 << 20 })
		_, err := up.Upload(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pond"), Key: &key, Body: bytes.NewReader(data), ChecksumAlgorithm: a})
		if err != nil {
			t.Errorf("%s: %v", a, err)
			continue
		}
		if !bytes.Equal(get(t, c, key), data) {
			t.Errorf("%s: wrong bytes", a)
		}
		part, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("pond"), Key: &key, PartNumber: aws.Int32(3)})
		if err != nil || *part.PartsCount != 3 || *part.ContentLength != 1<<20+16 {
			t.Errorf("%s: part 3: %+v %v", a, part, err)
		}
		buf := manager.NewWriteAtBuffer(nil)
		if _, err := manager.NewDownloader(c).Download(t.Context(), buf, &s3.GetObjectInput{Bucket: aws.String("pond"), Key: &key}); err != nil || !bytes.Equal(buf.Bytes(), data) {
			t.Errorf("%s: download: %v", a, err)
		}
	}
}

func TestErrorsAndWaiters(t *testing.T) {
	c, ctx := client(t), t.Context()
	_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("pond"), Key: aws.String("none")})
	var missing *types.NoSuchKey
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("pond"), Key: aws.String("none")})
	var notFound *types.NotFound
	if !errors.As(err, &notFound) {
		t.Errorf("got %v", err)
	}
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("pond")})
	var yours *types.BucketAlreadyOwnedByYou
	if !errors.As(err, &yours) {
		t.Errorf("got %v", err)
	}
	_, err = c.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: aws.String("pond"),
		AccelerateConfiguration: &types.AccelerateConfiguration{Status: types.BucketAccelerateStatusEnabled}})
	wantCode(t, err, "NotImplemented")
	if _, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("pond"), Key: aws.String("k"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")}); err != nil {
		t.Error(err)
	}
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("pond"), Key: aws.String("k"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
	wantCode(t, err, "PreconditionFailed")
	if err := s3.NewObjectExistsWaiter(c).Wait(ctx, &s3.HeadObjectInput{Bucket: aws.String("pond"), Key: aws.String("k")}, time.Second); err != nil {
		t.Error(err)
	}
	if err := s3.NewBucketNotExistsWaiter(c).Wait(ctx, &s3.HeadBucketInput{Bucket: aws.String("none")}, time.Second); err != nil {
		t.Error(err)
	}
	del, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String("pond"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k")}, {Key: aws.String("none")}}}})
	if err != nil || len(del.Deleted) != 2 || len(del.Errors) != 0 {
		t.Errorf("%+v %v", del, err)
	}
}

func TestListsAndPresigned(t *testing.T) {
	c, ctx := client(t), t.Context()
	keys := []string{"a b", "dir/1", "dir/2", "dir2/x", "ü", "z&<>"}
	for _, k := range keys {
		if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("pond"), Key: &k, Body: strings.NewReader(k)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("pond"), MaxKeys: aws.Int32(2), Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
	}
	slices.Sort(got)
	if want := "a b|dir/|dir2/|z&<>|ü"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	url, err := s3.NewPresignClient(c).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("pond"), Key: aws.String("z&<>")})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(url.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); string(b) != "z&<>" {
		t.Errorf("presigned: %s %s", res.Status, b)
	}
}

// TestStreamed sends a body that cannot be read twice, so the SDK signs no
// hash of it.
func TestStreamed(t *testing.T) {
	c := client(t)
	data := bytes.Repeat([]byte("stream"), 100_000)
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pond"), Key: aws.String("s"), Body: io.MultiReader(bytes.NewReader(data)), ContentLength: aws.Int64(int64(len(data)))},
		s3.WithAPIOptions(), func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	if err != nil {
		t.Logf("an unseekable body over plain HTTP: %v", err)
		return
	}
	if !bytes.Equal(get(t, c, "s"), data) {
		t.Error("wrong bytes")
	}
}
