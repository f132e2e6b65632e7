// Hugging Face's tokenizers for comparisons: does one task and prints its wall-clock seconds and the CPU
// seconds of all its threads, without the start of the program and the reading of its files.
//
//     node hf_tokenizers.js MODULE encode TOKENIZER.json TEXT     lines, in batches of 1,000
//     node hf_tokenizers.js MODULE train TEXT [TOKENIZER.json]    which is written
//
// RAYON_NUM_THREADS sets the number of threads.
const fs = require('fs');
const [module_path, task, ...files] = process.argv.slice(2);
const tokenizers = require(module_path);

function stopwatch() {
    const began = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    return () => {
        const used = process.cpuUsage(cpu);
        return { seconds: Number(process.hrtime.bigint() - began) / 1e9,
            cpu_s: (used.user + used.system) / 1e6 };
    };
}

async function encode(tokenizer_path, text_path) {
    const tokenizer = tokenizers.Tokenizer.fromFile(tokenizer_path);
    const lines = fs.readFileSync(text_path, 'utf8').split('\n').map((line) => line + '\n');
    const took = stopwatch();
    let tokens = 0;
    for (let i = 0; i < lines.length; i += 1000) {
        const options = { addSpecialTokens: false };
        for (const encoding of await tokenizer.encodeBatch(lines.slice(i, i + 1000), options))
            tokens += encoding.getLength();
    }
    return { ...took(), tokens };
}

// The JavaScript interface leaves the trainer's options at their defaults: 30,000 ids.
function train(text_path, tokenizer_path) {
    const tokenizer = new tokenizers.Tokenizer(tokenizers.BPE.empty());
    tokenizer.setPreTokenizer(tokenizers.byteLevelPreTokenizer(false, true));
    const took = stopwatch();
    tokenizer.train([text_path]);
    const figures = { ...took(), size: tokenizer.getVocabSize() };
    if (tokenizer_path) tokenizer.save(tokenizer_path);
    return figures;
}

(async () => console.log(JSON.stringify(await { encode, train }[task](...files))))();
