/** guest/bin/manifest.json: which inputs each pre-built image came from. */
export interface GuestManifest {
  /** Name and major version of the compiler: another version may give other bytes. */
  compiler: string;
  images: Record<
    string,
    {
      /** SHA-256 of all inputs (sources of the program and the SDK, options). */
      sources: string;
      /** SHA-256 of the image. */
      image: string;
      sizeBytes: number;
    }
  >;
}
