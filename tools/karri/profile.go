package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"karri/shared/sign"
)

// A profile is where a cloud is and who we are there. It is a shell file of
// the form of admin.env, so that a profile can be sourced too; the settings of
// the environment serve when no profile is named.
type profile struct {
	endpoint string // of all query services
	region   string
	keys     sign.Credentials
	caBundle string // PEM file; empty: the machine's own

	endpointS3 string // of objects, for the settings of others
}

// The names of the settings, the same that the aws command line knows.
const (
	envAccessKey = "AWS_ACCESS_KEY_ID"
	envSecret    = "AWS_SECRET_ACCESS_KEY"
	envToken     = "AWS_SESSION_TOKEN"
	envRegion    = "AWS_DEFAULT_REGION"
	envEndpoint  = "AWS_ENDPOINT_URL"
	envCABundle  = "AWS_CA_BUNDLE"

	envEndpointS3 = "AWS_ENDPOINT_URL_S3"
)

func profileDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "karri"), nil
}

// loadProfile reads the named profile; "" stands for the environment.
func loadProfile(name string) (profile, error) {
	get := os.Getenv
	if name != "" {
		dir, err := profileDir()
		if err != nil {
			return profile{}, err
		}
		f, err := os.Open(filepath.Join(dir, name+".env"))
		if err != nil {
			return profile{}, fmt.Errorf("no profile %q: make it with karri profile add %s FILE, FILE being an admin.env", name, name)
		}
		defer f.Close()
		m, err := parseEnv(f)
		if err != nil {
			return profile{}, fmt.Errorf("profile %s: %w", name, err)
		}
		get = func(k string) string { return m[k] }
	}
	p := profile{endpoint: get(envEndpoint), region: get(envRegion), caBundle: get(envCABundle), endpointS3: get(envEndpointS3),
		keys: sign.Credentials{AccessKey: get(envAccessKey), Secret: get(envSecret), Token: get(envToken)}}
	if p.region == "" {
		p.region = "us-east-1"
	}
	if p.endpoint == "" || p.keys.AccessKey == "" || p.keys.Secret == "" {
		return p, fmt.Errorf("%s, %s and %s are needed: source the cloud's admin.env, or name a profile with --profile", envEndpoint, envAccessKey, envSecret)
	}
	return p, nil
}

// parseEnv reads lines of the form export NAME='VALUE'; other lines are left alone.
func parseEnv(r io.Reader) (map[string]string, error) {
	m := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "export ")
		name, value, is := strings.Cut(line, "=")
		if !ok || !is || strings.ContainsAny(name, " \t") {
			continue
		}
		m[name] = strings.Trim(value, `'"`)
	}
	return m, lines.Err()
}

func profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Name the clouds that you use",
		Long: `A profile is a copy of a cloud's settings (an admin.env, or what
karri account create NAME --output env prints) under a name of your own.
Choose one with --profile NAME or KARRI_PROFILE.`,
	}
	cmd.AddCommand(&cobra.Command{Use: "list", Short: "List the profiles", Args: cobra.NoArgs, RunE: listProfiles})
	cmd.AddCommand(&cobra.Command{Use: "add NAME FILE", Short: "Keep the settings in FILE (- for standard input) as NAME", Args: cobra.ExactArgs(2), RunE: addProfile})
	cmd.AddCommand(&cobra.Command{Use: "remove NAME", Short: "Forget a profile", Args: cobra.ExactArgs(1), RunE: removeProfile})
	return cmd
}

func listProfiles(*cobra.Command, []string) error {
	dir, err := profileDir()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.env"))
	for _, f := range files {
		fmt.Println(strings.TrimSuffix(filepath.Base(f), ".env"))
	}
	return err
}

func addProfile(cmd *cobra.Command, args []string) error {
	file, err := profileFile(args[0])
	if err != nil {
		return err
	}
	in := cmd.InOrStdin()
	if args[1] != "-" {
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	m, err := parseEnv(strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	if m[envEndpoint] == "" || m[envAccessKey] == "" {
		return fmt.Errorf("%s names no %s and %s", args[1], envEndpoint, envAccessKey)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(file, b, 0o600)
}

func removeProfile(_ *cobra.Command, args []string) error {
	file, err := profileFile(args[0])
	if err != nil {
		return err
	}
	return os.Remove(file)
}

func profileFile(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/.") {
		return "", usageError{fmt.Errorf("%q is no name for a profile", name)}
	}
	dir, err := profileDir()
	return filepath.Join(dir, name+".env"), err
}
