// Command devcloud runs a whole Karri cloud in one process: the five daemons
// with their real APIs on loopback ports, over hosts and disks that exist in
// memory alone. It needs no root, no libvirt and no database server.
//
//	go run ./tools/devcloud
//
// starts two zones with two hosts each and prints how to use them with aws or
// karri. SIGINT ends it. With --state all stays for the next start, instances
// and volumes included; without, all is removed at the end.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"karri/shared/config"
	"karri/shared/rest"
	"karri/shared/sign"
	"karri/tools/devcloud/history"
	"karri/tools/devcloud/pretend"
	"karri/tools/site"
)

type settings struct {
	State    string `flag:"state" help:"folder to keep the state in; a temporary one, removed at the end, when not given"`
	Zones    int    `flag:"zones" default:"2" help:"availability zones"`
	Hosts    int    `flag:"hosts" default:"2" help:"pretended hosts of each zone"`
	Replay   int    `flag:"replay" default:"-1" help:"print the history of this seed, with its faults, and exit"`
	LogLevel string `flag:"log-level" default:"error" help:"of the daemons: debug, info, warn or error"`
}

var program = config.Program{
	Name: "devcloud",
	Purpose: "A whole cloud in one process over pretended hosts, for the first hour and for trying things out. " +
		"Instances reach the state running without running anything.",
	Usage: "[flags]",
	Files: [][2]string{{"STATE/admin.env", "settings of the administrator, to be sourced by a shell"}, {"STATE/DAEMON", "the state of each daemon"}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err == nil || errors.Is(err, config.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "devcloud: %v\n", err)
	os.Exit(1)
}

func run(ctx context.Context, args []string) (err error) {
	var s settings
	left, err := config.Load(program, args, &s)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return err
	}
	switch {
	case s.Replay >= 0:
		return replay(ctx, uint64(s.Replay))
	case len(left) > 0:
		return fmt.Errorf("unexpected argument %q", left[0])
	case s.Zones < 1 || s.Zones > 16 || s.Hosts < 1 || s.Hosts > 50:
		return errors.New("there are 1 to 16 zones with 1 to 50 hosts each")
	}
	kept := s.State != ""
	if !kept {
		if s.State, err = os.MkdirTemp("", "karri-devcloud-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.State)) }()
	}
	conf := pretend.Config{Dir: s.State, Keep: kept, Zones: s.Zones, Hosts: s.Hosts, Log: rest.NewLog(os.Stderr, level), Keys: keptKeys(s.State),
		Ports: map[string]string{"cloudctl": "8773", "walrus": "8774"}}
	slog.SetDefault(conf.Log)
	c, err := pretend.Open(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	image, err := c.Admin.Image(ctx)
	if err != nil {
		return err
	}
	if err := writeEnv(s.State, c); err != nil {
		return err
	}
	greet(s, c, image)
	<-ctx.Done()
	fmt.Println("ending")
	return nil
}

// replay prints the history of a seed.
func replay(ctx context.Context, seed uint64) error {
	r, err := history.Run(ctx, seed)
	r.Print(os.Stdout)
	if err == nil && len(r.Wrong) > 0 {
		err = fmt.Errorf("seed %d: %d things are wrong", seed, len(r.Wrong))
	}
	return err
}

// writeEnv writes admin.env and the aws wrapper, as tools/up does.
func writeEnv(dir string, c *pretend.Cloud) error {
	ports := map[string]int{}
	for use, url := range map[string]string{"ec2": c.EC2(), "s3": c.S3()} {
		_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
		n, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		ports[use] = n
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	s := site.Site{Dir: dir, Bin: filepath.Join(dir, "bin"), Chosen: site.Chosen{Region: pretend.Region, Ports: ports}}
	return s.WriteEnv(site.Credentials{AccessKey: c.Keys.AccessKey, SecretKey: c.Keys.Secret})
}

var exported = regexp.MustCompile(`(?m)^export (AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)='([^']*)'$`)

// keptKeys returns the administrator's keys of an earlier start, so that a
// shell that has them goes on working; nil when there was none.
func keptKeys(dir string) *sign.Credentials {
	b, err := os.ReadFile(filepath.Join(dir, "admin.env"))
	if err != nil {
		return nil
	}
	kept := map[string]string{}
	for _, m := range exported.FindAllStringSubmatch(string(b), -1) {
		kept[m[1]] = m[2]
	}
	if len(kept) < 2 {
		return nil
	}
	return &sign.Credentials{AccessKey: kept["AWS_ACCESS_KEY_ID"], Secret: kept["AWS_SECRET_ACCESS_KEY"]}
}

func greet(s settings, c *pretend.Cloud, image string) {
	env, _ := filepath.Abs(filepath.Join(s.State, "admin.env"))
	fmt.Printf(`A cloud of %d zones with %d pretended hosts each runs; Ctrl-C ends it.

EC2, STS, admin:  %s
S3:               %s
access key:       %s
secret key:       %s
image:            %s

Try it from another shell:

  . %s
  aws ec2 run-instances --image-id %s --instance-type t1.nano --count 2
  aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name,Placement.AvailabilityZone]' --output table
  go run ./tools/karri node describe
`, s.Zones, s.Hosts, c.EC2(), c.S3(), c.Keys.AccessKey, c.Keys.Secret, image, env, image)
}
