// Contrast as it was painted. `regions` are rectangles of a picture (PNG, base64) in its own pixels, each around
// some text. The colour that most of a region has is the ground. Text is drawn with soft edges, which are mixtures of
// its colour and the ground, so the colour with the highest contrast to the ground is nearest to the true one;
// single pixels do not count. Both estimates err towards less contrast, never towards more.
window.pixels = (() => {
  const LEAST = 3;

  async function painted(png) {
    const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context;
  }

  function luminance(colour) {
    const [r, g, b] = [colour >> 16, (colour >> 8) & 255, colour & 255]
      .map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ratio(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  function measured({ data }) {
    const times = new Map();
    for (let n = 0; n < data.length; n += 4) {
      const colour = (data[n] << 16) | (data[n + 1] << 8) | data[n + 2];
      times.set(colour, (times.get(colour) ?? 0) + 1);
    }
    const [ground] = [...times].reduce((most, one) => (one[1] > most[1] ? one : most));
    const ratios = [...times].filter(([, many]) => many >= LEAST).map(([colour]) => ratio(colour, ground));
    return Math.max(...ratios);
  }

  return {
    async contrasts(png, regions) {
      const context = await painted(png);
      return regions.map(([x, y, width, height]) => measured(context.getImageData(x, y, width, height)));
    },
    // How many pixels differ between two pictures of one place.
    async changed(one, other) {
      const [before, after] = await Promise.all([painted(one), painted(other)]);
      const all = [before, after].map((context) => context.getImageData(0, 0, context.canvas.width, context.canvas.height).data);
      let count = 0;
      for (let n = 0; n < all[0].length; n += 4) count += [0, 1, 2].some((m) => Math.abs(all[0][n + m] - all[1][n + m]) > 24);
      return count;
    },
  };
})();
